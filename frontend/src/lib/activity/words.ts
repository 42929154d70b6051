import { graphql, type ResultOf } from '$lib/api/graphql';
import { shortId } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const activityFragment = graphql(`
  fragment ActivityLine on Activity {
    id
    at
    kind
    severity
    applicationId
    applicationName
    groupId
    groupName
    channelName
    instanceId
    machineId
    version
    code
    words
    actor
    detail
  }
`);

export type Activity = ResultOf<typeof activityFragment>;

export const severityTone: Record<Activity['severity'], Tone> = {
  SUCCESS: 'done',
  INFO: 'fly',
  WARNING: 'warn',
  ERROR: 'fail',
};

/** What happened, in the fewest words that are still a sentence. The machine is
 * named by whoever shows it, as a link. */
export function activityWords(activity: Activity): string {
  const { kind, version, actor, channelName, words, code } = activity;
  const who = actor || 'The server';
  switch (kind) {
    case 'PACKAGE_NOT_FOUND':
      return 'machines asked and there is no package to offer';
    case 'ROLLOUT_STARTED':
      return `rollout of ${version} started`;
    case 'ROLLOUT_FINISHED':
      return `rollout of ${version} finished`;
    case 'ROLLOUT_HALTED':
      return actor ? `${actor} halted ${version}` : `rollout of ${version} halted`;
    case 'MACHINE_FAILED':
      return `failed to update to ${version}: ${words || (code ? `code ${code}` : 'no code')}`;
    case 'CHANNEL_MOVED':
      return version ? `${who} pointed ${channelName} to ${version}` : `${who} emptied ${channelName}`;
    case 'PAUSED':
      return `${who} paused updates`;
    case 'RESUMED':
      return `${who} resumed updates`;
    case 'WAVE_ADVANCED':
      return actor ? `${actor} opened the next wave` : 'next wave opened';
    case 'MACHINE_QUARANTINED':
      return `quarantined at ${version}`;
    case 'PACKAGE_BLACKLISTED':
      return `${who} blacklisted ${version} for ${channelName}`;
    case 'POLICY_CHANGED':
      return `${who} changed the policy`;
    case 'MIRROR_FAILED':
      return 'the mirror could not be brought up to date';
  }
}

/** How a machine is called in a line. */
export const machineName = ({ machineId }: Activity) => shortId(machineId);
