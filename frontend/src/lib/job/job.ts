import { graphql, type ResultOf } from '$lib/api/graphql';
import { actionText, type JobResult } from '$lib/machine/bulk';
import { plural } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const jobFragment = graphql(`
  fragment Job on MachineJob {
    id
    createdAt
    createdBy
    action
    selection
    reason
    until
    version
    state
    machines
    done
    afterUpdate
    skipped
    failed
    pending
    changedAt
    stoppedBy
  }
`);

export type Job = ResultOf<typeof jobFragment>;
type JobState = Job['state'];

/** "Hold 312 machines". */
export function jobTitle({ action, machines, version }: Job): string {
  const { verb, after } = actionText[action];
  const to = action === 'PIN' ? `to ${version}` : after;
  return [verb, plural(machines, 'machine'), to].filter(Boolean).join(' ');
}

/** The field that must be allowed to stop or retry a job: who may not forget machines cannot
 * control a job that does. */
export const controlNeeds = ({ action }: Job, field: 'stopMachineJob' | 'retryMachineJob') =>
  action === 'FORGET' ? 'forgetInstances' : field;

export const stateText: Record<JobState, { label: string; tone: Tone }> = {
  RUNNING: { label: 'Running', tone: 'fly' },
  STOPPED: { label: 'Stopped', tone: 'warn' },
  FINISHED: { label: 'Finished', tone: 'done' },
};

export const resultTone: Record<JobResult, Tone> = {
  FAILED: 'fail',
  AFTER_UPDATE: 'fly',
  SKIPPED: 'quiet',
  DONE: 'done',
  PENDING: 'quiet',
};

/** The label of a result, such as "Held after update". */
export function resultLabel(action: Job['action'], result: JobResult): string {
  const { done } = actionText[action];
  const label: Record<JobResult, string> = {
    FAILED: 'Failed',
    AFTER_UPDATE: `${done} after update`,
    SKIPPED: 'Skipped',
    DONE: done,
    PENDING: 'Pending',
  };
  return label[result];
}

/** The numbers of a job by result, in the order of the page. */
export const resultCounts = (job: Job): { result: JobResult; machines: number }[] => [
  { result: 'FAILED', machines: job.failed },
  { result: 'DONE', machines: job.done },
  { result: 'AFTER_UPDATE', machines: job.afterUpdate },
  { result: 'SKIPPED', machines: job.skipped },
  { result: 'PENDING', machines: job.pending },
];

export const asResult = (text: string | null): JobResult | null =>
  text && Object.hasOwn(resultTone, text) ? (text as JobResult) : null;

export const stopMutation = graphql(`
  mutation StopMachineJob($id: ID!) {
    outcome: stopMachineJob(input: { id: $id }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const retryMutation = graphql(`
  mutation RetryMachineJob($id: ID!, $instanceIds: [ID!]) {
    outcome: retryMachineJob(input: { id: $id, instanceIds: $instanceIds }) {
      userErrors {
        field
        message
      }
    }
  }
`);
