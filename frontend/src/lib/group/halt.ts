import { graphql, type ResultOf } from '$lib/api/graphql';
import { count, momentAfterVerb } from '$lib/ui/format';

export const haltFragment = graphql(`
  fragment HaltHeadline on Rollout {
    version
    attemptsSinceResume {
      finished
      failed
    }
    halt {
      rule
      at
      by
      machineIds
    }
  }
`);

/** What halted and when, such as "2.1.0 halted at 02:31: 8 of 20 finished attempts failed"; "" if it is not halted. */
export function haltHeadline(rollout: ResultOf<typeof haltFragment>, now: Date): string {
  const { version, halt, attemptsSinceResume: attempts } = rollout;
  if (!halt) return '';
  const what = `${version} halted ${momentAfterVerb(new Date(halt.at), now)}`;
  switch (halt.rule) {
    case 'PERSON':
      return `${what} by ${halt.by || 'a user'}`;
    case 'SAFE_MODE':
      return `${what} by safe mode`;
    case 'CANARY':
      return `${what}: a canary failed for good`;
    case 'FAILURE_SHARE':
      return `${what}: ${count(attempts.failed)} of ${count(attempts.finished)} finished attempts failed`;
  }
}
