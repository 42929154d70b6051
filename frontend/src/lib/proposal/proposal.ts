import { graphql, type ResultOf } from '$lib/api/graphql';
import type { Tone } from '$lib/ui/tone';

export const proposalFragment = graphql(`
  fragment Proposal on Proposal {
    id
    summary
    verb
    changes
    reason
    state
    createdBy
    createdAt
    expiresAt
    decidedBy
    decidedAt
    decision
    current
    undecidable
    own
    application {
      id
      name
    }
    group {
      id
      name
    }
    channel {
      id
      name
    }
    impact {
      machines
      eligible
      eligibleNow
      groups
      projectedEnd
      sentence
      warnings
    }
  }
`);

export type Proposal = ResultOf<typeof proposalFragment>;
type State = Proposal['state'];

export const stateText: Record<State, { label: string; tone: Tone }> = {
  OPEN: { label: 'Waits for a second person', tone: 'warn' },
  APPROVED: { label: 'Approved', tone: 'done' },
  REFUSED: { label: 'Refused', tone: 'fail' },
  WITHDRAWN: { label: 'Withdrawn', tone: 'quiet' },
  EXPIRED: { label: 'Expired', tone: 'quiet' },
};

/** The parts of a line "setting: before → after"; only the setting if it has another form. */
export function changeParts(line: string): { setting: string; now?: string; proposed?: string } {
  const [, setting, now, proposed] = /^(.*?): (.*) → (.*)$/s.exec(line) ?? [];
  return setting !== undefined && now !== undefined && proposed !== undefined
    ? { setting, now, proposed }
    : { setting: line };
}

export type Decision = 'approve' | 'refuse' | 'withdraw';

export const decisionMutations = {
  approve: graphql(`
    mutation ApproveProposal($input: DecideProposalInput!) {
      outcome: approveProposal(input: $input) {
        userErrors {
          field
          message
        }
      }
    }
  `),
  refuse: graphql(`
    mutation RefuseProposal($input: DecideProposalInput!) {
      outcome: refuseProposal(input: $input) {
        userErrors {
          field
          message
        }
      }
    }
  `),
  withdraw: graphql(`
    mutation WithdrawProposal($input: DecideProposalInput!) {
      outcome: withdrawProposal(input: $input) {
        userErrors {
          field
          message
        }
      }
    }
  `),
} as const;

export const decisionText: Record<
  Decision,
  { label: string; look: 'primary' | 'danger' | 'warn'; reason: 'optional' | 'required'; note: string }
> = {
  approve: {
    label: 'Approve',
    look: 'primary',
    reason: 'optional',
    note: 'The change is made at once. If what it concerns has changed since it was proposed, nothing happens.',
  },
  refuse: {
    label: 'Refuse',
    look: 'danger',
    reason: 'required',
    note: 'Nothing changes. The reason is shown to the author.',
  },
  withdraw: { label: 'Withdraw', look: 'warn', reason: 'optional', note: 'Nothing changes.' },
};
