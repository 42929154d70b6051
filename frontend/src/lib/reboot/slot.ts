import { graphql, type ResultOf } from '$lib/api/graphql';
import { shortId } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';
import { visible } from '$lib/ui/visible';

export const rebootSlotFragment = graphql(`
  fragment RebootSlot on RebootSlot {
    clientId
    state
    sentence
    askedAt
    takenAt
    expectedAt
    instance {
      id
      alias
      machineId
    }
  }
`);

export type RebootSlot = ResultOf<typeof rebootSlotFragment>;

export const releaseSlotMutation = graphql(`
  mutation ReleaseRebootSlot($groupId: ID!, $id: String!, $reason: String!) {
    outcome: releaseRebootSlot(input: { groupId: $groupId, id: $id, reason: $reason }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const slotState: Record<RebootSlot['state'], { label: string; tone: Tone }> = {
  WAITING: { label: 'Waiting', tone: 'quiet' },
  HELD: { label: 'Rebooting', tone: 'fly' },
  OVERDUE: { label: 'Overdue', tone: 'warn' },
  LOST: { label: 'Did not come back', tone: 'warn' },
};

/** What people call the machine of a slot. */
export const slotName = ({ instance, clientId }: RebootSlot): string =>
  visible(instance?.alias || shortId(instance?.machineId ?? clientId));
