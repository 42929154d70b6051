import { graphql, type ResultOf, type VariablesOf } from '$lib/api/graphql';

export const impactQuery = graphql(`
  query MachineJobImpact($filter: InstanceFilter!, $action: MachineActionInput!) {
    machineJobImpact(filter: $filter, action: $action) {
      asOf
      machines
      isExact
      counted
      now
      afterUpdate
      skipped
      selection
      outcomes {
        result
        text
        machines
      }
    }
  }
`);

export const startJobMutation = graphql(`
  mutation StartMachineJob($input: StartMachineJobInput!) {
    outcome: startMachineJob(input: $input) {
      job {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const moveTargetsQuery = graphql(`
  query MoveTargets {
    applications {
      id
      name
      groups {
        id
        name
        arch
      }
    }
  }
`);

export type Impact = ResultOf<typeof impactQuery>['machineJobImpact'];
export type ActionInput = VariablesOf<typeof impactQuery>['action'];
export type BulkAction = ActionInput['kind'];
export type JobResult = Impact['outcomes'][number]['result'];

interface ActionText {
  /** Verb of buttons and titles; "machines" follows. */
  verb: string;
  /** Label of the button that opens the dialog. */
  button: string;
  /** Completes the verb: "Free 5 machines from quarantine". */
  after?: string;
  /** What the action means. */
  meaning: string;
  /** Result of a machine that was changed. */
  done: string;
}

export const actionText: Record<BulkAction, ActionText> = {
  HOLD: {
    verb: 'Hold',
    button: 'Hold…',
    meaning: 'A held machine gets no update until the hold ends.',
    done: 'Held',
  },
  RELEASE: {
    verb: 'Release',
    button: 'Release…',
    meaning: 'A released machine is no longer held or pinned.',
    done: 'Released',
  },
  PIN: {
    verb: 'Pin',
    button: 'Pin…',
    meaning: 'A pinned machine gets no version above the pin.',
    done: 'Pinned',
  },
  MOVE: {
    verb: 'Move',
    button: 'Move to group…',
    after: 'to another group',
    meaning: 'A moved machine follows the channel and policy of its new group, whatever track it sends.',
    done: 'Moved',
  },
  FREE_FROM_QUARANTINE: {
    verb: 'Free',
    button: 'Clear quarantine…',
    after: 'from quarantine',
    meaning: 'A machine that leaves quarantine is offered the version at which it failed again.',
    done: 'Released',
  },
  ENROLL: {
    verb: 'Enroll',
    button: 'Enroll…',
    meaning: 'The results of an enrolled machine count at once, however new it is.',
    done: 'Enrolled',
  },
  LABEL: {
    verb: 'Label',
    button: 'Label…',
    meaning: 'Attributes and tags do not change updates. Lists can be filtered by them.',
    done: 'Labeled',
  },
  FORGET: {
    verb: 'Forget',
    button: 'Forget…',
    meaning: 'A forgotten machine is deleted with its history. If it asks again, it is a new machine.',
    done: 'Forgotten',
  },
};

export const bulkActions = Object.keys(actionText) as BulkAction[];

/** A random id for a request that may be repeated. `crypto.randomUUID` needs HTTPS. */
export const newRequestId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
