import { graphql, type ResultOf } from '$lib/api/graphql';
import type { Tone } from '$lib/ui/tone';
import { sentence } from '$lib/ui/format';

export const runFragment = graphql(`
  fragment MirrorRun on MirrorRun {
    id
    startedAt
    endedAt
    outcome
    changes
    error
    bytes
    upstream {
      id
      name
    }
    upstreamChannel {
      id
      channel {
        name
        color
        arch
      }
    }
  }
`);

export type MirrorRun = ResultOf<typeof runFragment>;

const outcomes: Record<MirrorRun['outcome'], { tone: Tone; label: string }> = {
  CHANGED: { tone: 'done', label: 'Changed something' },
  FAILED: { tone: 'fail', label: 'Failed' },
  UNCHANGED: { tone: 'quiet', label: 'Nothing to do' },
};

/** What came of a run in one line. */
export function runResult({ outcome, changes, error }: MirrorRun): { tone: Tone; text: string } {
  const { tone, label } = outcomes[outcome];
  const text = outcome === 'FAILED' && error ? error : changes.join(', ');
  // A valid answer that is not followed changes nothing, but is worth a look.
  const noted = outcome === 'UNCHANGED' && changes.length > 0;
  return { tone: noted ? 'warn' : tone, text: text ? sentence(text) : label };
}
