import { graphql, type ResultOf } from '$lib/api/graphql';
import {
  applicationPath,
  approvalPath,
  channelPath,
  groupPath,
  jobPath,
  machinePath,
  packagePath,
} from '$lib/paths';
import { fields } from './difference';

export const auditFragment = graphql(`
  fragment AuditEntry on Audit {
    id
    at
    actor
    credential
    address
    action
    objectType
    objectId
    applicationId
    before
    after
    reason
    number
    previousHash
    hash
    package {
      id
      version
    }
    rollout {
      version
      group {
        id
        name
      }
    }
  }
`);

export type Audit = ResultOf<typeof auditFragment>;

/** The verb of a change; the object's name follows it. */
export const verbText: Record<string, string> = {
  addFloor: 'set a floor in',
  advanceWave: 'opened the next wave of',
  approveProposal: 'approved the proposal to',
  approveWave: 'approved the next wave of',
  beginChain: 'sealed the entries from before the chain of the',
  blacklistPackage: 'blacklisted a package for',
  changePassword: 'changed the password of',
  createApplication: 'created',
  createChannel: 'created',
  createGroup: 'created',
  createPackage: 'created',
  createUser: 'created',
  deleteApplication: 'deleted',
  deleteChannel: 'deleted',
  deleteGroup: 'deleted',
  deletePackage: 'deleted',
  deleteUser: 'deleted',
  enrollInstances: 'enrolled machines of',
  forgetInstance: 'forgot',
  forgetInstances: 'forgot machines of',
  haltRollout: 'halted',
  holdInstance: 'held',
  labelInstance: 'labeled',
  moveInstance: 'moved',
  pauseUpdates: 'paused',
  pinInstance: 'pinned',
  preinstall: 'installed',
  promotePackage: 'promoted a package in',
  propose: 'proposed to',
  refuseProposal: 'refused the proposal to',
  releaseInstance: 'released',
  releaseRebootSlot: 'released a reboot slot of',
  removeFloor: 'removed a floor from',
  resumeUpdates: 'resumed',
  retryMachineJob: 'continued',
  rollBack: 'rolled back',
  setInstanceAlias: 'named',
  setPassword: 'set the password of',
  signIn: 'signed in',
  signInFailed: 'failed to sign in',
  signOut: 'signed out',
  startMachineJob: 'started',
  stopMachineJob: 'stopped',
  unblacklistPackage: 'allowed a package again for',
  updateApplication: 'changed',
  updateChannel: 'changed',
  updateGroup: 'changed',
  updatePackage: 'changed',
  updatePolicy: 'changed the policy of',
  withdrawProposal: 'withdrew the proposal to',
};

/** Actions whose user is their object. */
export const aboutSelf = (action: string) => /^sign(In|InFailed|Out)$/.test(action);

/** Failed sign-ins that one entry counts; 1 for all other entries. */
export function attempts({ action, after }: Pick<Audit, 'action' | 'after'>): number {
  const n = action === 'signInFailed' ? fields(after)?.['attempts'] : 1;
  return typeof n === 'number' ? n : 1;
}

/** "setInstanceAlias" → "set instance alias". */
export const spaced = (name: string) => name.replace(/([A-Z])/g, ' $1').toLowerCase();

/** Whether the text of the action goes on with the object's name: "proposed to promote 2.0.0". */
export const namesObject = ({ objectType }: Pick<Audit, 'objectType'>) => objectType === 'proposal';

const objectLabel: Record<string, string> = { instance: 'machine', machineJob: 'job' };

export interface Subject {
  /** "group production". */
  kind: string;
  name: string;
  /** Its page. */
  href: string | null;
}

/** The object of an entry. */
export function subject({ objectType, objectId, applicationId, before, after, rollout }: Audit): Subject {
  if (rollout && applicationId) {
    const { group, version } = rollout;
    return { kind: 'rollout', name: `${version} of ${group.name}`, href: groupPath(applicationId, group.id) };
  }

  const now = fields(after) ?? fields(before) ?? {};
  const name =
    ['name', 'selection', 'summary', 'version', 'username', 'machine'].map((key) => now[key]).find(isText) ??
    '';
  return {
    kind: objectLabel[objectType] ?? spaced(objectType),
    name,
    href: place(objectType, objectId, applicationId),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function place(object: string, id: string, application: string | null): string | null {
  if (object === 'application') return applicationPath(id);
  if (object === 'machineJob') return jobPath(id);
  if (object === 'proposal') return approvalPath(id);
  if (!application) return null;
  switch (object) {
    case 'group':
      return groupPath(application, id);
    case 'channel':
      return channelPath(application, id);
    case 'package':
      return packagePath(application, id);
    case 'instance':
      return machinePath(application, id);
    default:
      return null;
  }
}
