import type { Tone } from '$lib/ui/tone';
import { outcomeLabel, type Outcome } from './state';

/** The times of an attempt; null for steps that were not reported. */
export interface Moments {
  grantedAt: string;
  downloadingAt: string | null;
  downloadedAt: string | null;
  installedAt: string | null;
  endedAt: string | null;
}

export interface Phase {
  label: string;
  /** Duration in seconds, up to now for the last step of an attempt in progress. */
  seconds: number;
}

/** The steps of an attempt with their durations. A step without a report counts to
 * the step before. */
export function phases(moments: Moments, now: Date): Phase[] {
  const steps = [
    { label: 'offered', at: moments.grantedAt },
    { label: 'downloading', at: moments.downloadingAt },
    { label: 'installing', at: moments.downloadedAt },
    { label: 'rebooting', at: moments.installedAt },
  ].filter((step): step is { label: string; at: string } => step.at !== null);
  const end = moments.endedAt ? Date.parse(moments.endedAt) : now.getTime();
  return steps.map(({ label, at }, i) => ({
    label,
    seconds: Math.max(
      0,
      ((i + 1 < steps.length ? Date.parse(steps[i + 1]?.at ?? '') : end) - Date.parse(at)) / 1000,
    ),
  }));
}

const tones: Partial<Record<Outcome, Tone>> = {
  SUCCEEDED: 'done',
  FAILED: 'fail',
  ROLLED_BACK: 'fail',
  TIMED_OUT: 'fail',
  NOT_RUNNING: 'fail',
  LOST: 'fail',
  LOOPING: 'fail',
  CAME_BACK: 'done',
};

/** Label and colour of an outcome. */
export const outcome = (ended: Outcome): { label: string; tone: Tone } => ({
  label: outcomeLabel[ended],
  tone: tones[ended] ?? 'quiet',
});
