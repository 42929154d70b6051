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

/** For screen readers, in place of the coloured mark. */
export const severityLabel: Record<Activity['severity'], string> = {
  SUCCESS: 'Success:',
  INFO: '',
  WARNING: 'Warning:',
  ERROR: 'Error:',
};

/** The text of an entry. `detail` is the event of the engine or, for configuration
 * changes by a user, the given reason. */
export function activityText({ kind, version, actor, channelName, detail }: Activity): string {
  const who = actor || 'the server';
  const why = detail && `: “${detail}”`;
  switch (kind) {
    case 'CHANNEL_MOVED':
      return version
        ? `${who} pointed ${channelName} to ${version}${why}`
        : `${who} emptied ${channelName}${why}`;
    case 'ROLLED_BACK':
      return `${who} rolled ${channelName} back to ${version}${why}`;
    case 'MIRROR_FAILED':
      return `${who} failed for ${channelName}${detail && `: ${detail}`}`;
    case 'MIRROR_WORKS':
    case 'MIRROR_FOUND':
    case 'MIRROR_WITHDRAWN':
      return `${who}, ${channelName}: ${detail}`;
    case 'PACKAGE_BLACKLISTED':
      return `${who} blacklisted ${version} for ${channelName}${detail && `; ${detail}`}`;
    case 'POLICY_CHANGED':
      return `${who} changed the policy${detail && `: ${detail}`}`;
    case 'MACHINE_FAILED':
    case 'MACHINE_QUARANTINED':
      return `${detail} at ${version}`;
    default:
      return detail || kind.toLowerCase().replaceAll('_', ' ');
  }
}

/** Short name of a machine in an entry. */
export const machineName = ({ machineId }: Activity) => shortId(machineId);
