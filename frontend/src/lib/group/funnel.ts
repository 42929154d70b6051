import type { InstanceState } from '$lib/machine/state';
import { count } from '$lib/ui/format';

/** Attempts by the steps they reached; each number includes later steps. */
export interface Funnel {
  granted: number;
  downloading: number;
  downloaded: number;
  installed: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  rolledBack: number;
  notRunning: number;
  lost: number;
  released: number;
}

interface Step {
  label: string;
  n: number;
  /** Attempts that have not reached the next step. */
  loss: string;
}

/** The steps of an update. An attempt that has not reached the next step is in
 * progress or lost. */
export function funnelSteps(
  funnel: Funnel,
  byState: readonly { state: InstanceState; machines: number }[],
): Step[] {
  const now = (state: InstanceState) => byState.find((s) => s.state === state)?.machines ?? 0;
  const loss = (n: number, next: number, state: InstanceState) => {
    const here = Math.min(now(state), Math.max(0, n - next));
    const lost = Math.max(0, n - next - here);
    return [here > 0 && `${count(here)} in progress`, lost > 0 && `${count(lost)} lost`]
      .filter(Boolean)
      .join(' · ');
  };
  const { granted, downloading, downloaded, installed, succeeded } = funnel;
  return [
    { label: 'Granted', n: granted, loss: loss(granted, downloading, 'GRANTED') },
    { label: 'Downloading', n: downloading, loss: loss(downloading, downloaded, 'DOWNLOADING') },
    { label: 'Downloaded', n: downloaded, loss: loss(downloaded, installed, 'DOWNLOADED') },
    { label: 'Installed', n: installed, loss: loss(installed, succeeded, 'INSTALLED') },
    { label: 'Complete', n: succeeded, loss: '' },
  ];
}

/** The lost attempts in one sentence. */
export function funnelSummary({ failed, rolledBack, timedOut, notRunning, lost, released }: Funnel): string {
  const parts: string[] = [];
  if (failed > 0) {
    const ways = [
      rolledBack > 0 && `${count(rolledBack)} rolled back`,
      timedOut > 0 && `${count(timedOut)} timed out`,
      notRunning > 0 && `${count(notRunning)} still on the old version`,
      lost > 0 && `${count(lost)} silent after installing`,
    ].filter(Boolean);
    parts.push(`${count(failed)} failed${ways.length > 0 ? ` (${ways.join(', ')})` : ''}`);
  }
  if (released > 0) parts.push(`${count(released)} deferred, interrupted or withdrawn`);
  return parts.length > 0 ? `${parts.join('; ')}.` : 'No lost attempts.';
}
