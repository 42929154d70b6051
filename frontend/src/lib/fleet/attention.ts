import { graphql, type ResultOf } from '$lib/api/graphql';
import { applicationPath, groupPath, passwordPath, policyPath } from '$lib/paths';

export const attentionFragment = graphql(`
  fragment Attention on Attention {
    kind
    severity
    since
    sentence
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

/** The one thing to do about it, and where. */
export function remedy({ kind, application, group }: Attention): { label: string; href: string } | null {
  if (kind === 'DEFAULT_PASSWORD') return { label: 'Change it', href: passwordPath() };
  if (!application || !group) return null;
  switch (kind) {
    case 'HALTED':
      return {
        // A person can halt before anything has failed.
        label: group.rollout?.halt?.failed ? 'See what failed' : 'See the rollout',
        href: groupPath(application.id, group.id),
      };
    case 'WAITING_FOR_APPROVAL':
      return { label: 'Open next wave', href: groupPath(application.id, group.id, { do: 'advance' }) };
    case 'PAUSED':
      return { label: 'Resume', href: groupPath(application.id, group.id, { do: 'resume' }) };
    case 'POLICY_WARNING':
      return { label: 'Edit policy', href: policyPath(application.id, group.id) };
    case 'NO_PACKAGE':
      return { label: 'Give it a package', href: applicationPath(application.id) };
  }
}
