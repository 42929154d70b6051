import type { InstanceState } from '$lib/machine/state';
import { count } from '$lib/ui/format';

/** Attempts by how far they came; each number includes those that came further. */
export interface Funnel {
  granted: number;
  downloading: number;
  downloaded: number;
  installed: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  rolledBack: number;
  released: number;
}

interface Step {
  word: string;
  n: number;
  /** What became of those who came no further, in words. */
  loss: string;
}

/** The steps of an update. Who came to one and not to the next is there now or
 * was lost there. */
export function funnelSteps(
  funnel: Funnel,
  byState: readonly { state: InstanceState; machines: number }[],
): Step[] {
  const now = (state: InstanceState) => byState.find((s) => s.state === state)?.machines ?? 0;
  const loss = (n: number, next: number, state: InstanceState) => {
    const here = Math.min(now(state), Math.max(0, n - next));
    const lost = Math.max(0, n - next - here);
    return [here > 0 && `${count(here)} there now`, lost > 0 && `${count(lost)} came no further`]
      .filter(Boolean)
      .join(' · ');
  };
  const { granted, downloading, downloaded, installed, succeeded } = funnel;
  return [
    { word: 'Granted', n: granted, loss: loss(granted, downloading, 'GRANTED') },
    { word: 'Downloading', n: downloading, loss: loss(downloading, downloaded, 'DOWNLOADING') },
    { word: 'Downloaded', n: downloaded, loss: loss(downloaded, installed, 'DOWNLOADED') },
    { word: 'Installed', n: installed, loss: loss(installed, succeeded, 'INSTALLED') },
    { word: 'Complete', n: succeeded, loss: '' },
  ];
}

/** Those who were lost, in one sentence. */
export function funnelWords({ failed, rolledBack, timedOut, released }: Funnel): string {
  const parts: string[] = [];
  if (failed > 0) {
    const ways = [
      rolledBack > 0 && `${count(rolledBack)} rolled back`,
      timedOut > 0 && `${count(timedOut)} fell silent`,
    ].filter(Boolean);
    parts.push(`${count(failed)} failed${ways.length > 0 ? ` (${ways.join(', ')})` : ''}`);
  }
  if (released > 0) parts.push(`${count(released)} put off, interrupted or taken back`);
  return parts.length > 0 ? `${parts.join('; ')}.` : 'No attempt was lost.';
}
