import { graphql, type ResultOf } from '$lib/api/graphql';
import {
  applicationPath,
  approvalPath,
  groupPath,
  mirrorsPath,
  notificationsPath,
  passwordPath,
  policyPath,
  refusedPath,
  settingsPath,
  storagePath,
} from '$lib/paths';

export const attentionFragment = graphql(`
  fragment Attention on Attention {
    kind
    severity
    since
    sentence
    proposal {
      id
    }
    application {
      id
      name
    }
    group {
      id
      name
      rollout {
        halt {
          failed
        }
      }
    }
  }
`);

export type Attention = ResultOf<typeof attentionFragment>;

/** The action that resolves it, and its page. */
export function remedy({
  kind,
  application,
  group,
  proposal,
}: Attention): { label: string; href: string } | null {
  if (kind === 'DEFAULT_PASSWORD') return { label: 'Change password', href: passwordPath() };
  if (kind === 'CLOCK' || kind === 'FAILED_CHECKS' || kind === 'DISK')
    return { label: 'View server', href: settingsPath() };
  if (kind === 'PROPOSED') return proposal && { label: 'Review', href: approvalPath(proposal.id) };
  if (kind === 'MIRROR') return { label: 'View mirrors', href: mirrorsPath() };
  if (kind === 'STORAGE') return { label: 'View storage', href: storagePath() };
  if (kind === 'UNKNOWN_TRACK') return { label: 'View requests', href: refusedPath() };
  if (kind === 'NOTIFIER') return { label: 'View notifications', href: notificationsPath() };
  if (!application || !group) return null;
  switch (kind) {
    case 'HALTED':
      return {
        // A user can halt a rollout before anything has failed.
        label: group.rollout?.halt?.failed ? 'View failures' : 'View rollout',
        href: groupPath(application.id, group.id),
      };
    case 'WAITING_FOR_APPROVAL':
      return { label: 'Open next wave', href: groupPath(application.id, group.id, { do: 'advance' }) };
    case 'PAUSED':
      return { label: 'Resume', href: groupPath(application.id, group.id, { do: 'resume' }) };
    case 'POLICY_WARNING':
      return { label: 'Edit policy', href: policyPath(application.id, group.id) };
    case 'BAD_VERSION':
      return { label: 'View machines', href: groupPath(application.id, group.id, { show: 'bad-version' }) };
    case 'STALLED':
      return { label: 'View rollout', href: groupPath(application.id, group.id) };
    case 'LOST_MACHINES':
    case 'FAILED_MACHINES':
    case 'NEWCOMERS_FAILING':
    case 'REBOOT_OVERDUE':
      return { label: 'View machines', href: groupPath(application.id, group.id) };
    case 'NO_PACKAGE':
      return { label: 'Promote a package', href: applicationPath(application.id) };
    case 'REBOOT_SLOT_OVERDUE':
    case 'REFUSALS':
      return { label: 'View group', href: groupPath(application.id, group.id) };
  }
}
