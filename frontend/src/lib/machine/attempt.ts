import type { Tone } from '$lib/ui/tone';
import { outcomeWord, type Outcome } from './state';

/** The moments of an attempt as the API gives them; those that never came are
 * null. */
export interface Moments {
  grantedAt: string;
  downloadingAt: string | null;
  downloadedAt: string | null;
  installedAt: string | null;
  endedAt: string | null;
}

export interface Phase {
  word: string;
  /** Seconds it took; so far, for the last one of an open attempt. */
  seconds: number;
}

/** What a machine did between the moments of an attempt. A step that was not
 * reported belongs to the one before. */
export function phases(moments: Moments, now: Date): Phase[] {
  const steps = [
    { word: 'offered', at: moments.grantedAt },
    { word: 'downloading', at: moments.downloadingAt },
    { word: 'installing', at: moments.downloadedAt },
    { word: 'rebooting', at: moments.installedAt },
  ].filter((step): step is { word: string; at: string } => step.at !== null);
  const end = moments.endedAt ? Date.parse(moments.endedAt) : now.getTime();
  return steps.map(({ word, at }, i) => ({
    word,
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
};

/** How an attempt ended. */
export const outcome = (ended: Outcome): { word: string; tone: Tone } => ({
  word: outcomeWord[ended],
  tone: tones[ended] ?? 'quiet',
});
