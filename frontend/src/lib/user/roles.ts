import type { VariablesOf } from '$lib/api/graphql';
import type { updateUserMutation } from './mutations';

export type Role = NonNullable<VariablesOf<typeof updateUserMutation>['input']['role']>;

interface RoleText {
  role: Role;
  label: string;
  /** What it may do besides what the roles before it may. */
  note: string;
}

/** All roles, those that may do least first. */
export const roles: readonly RoleText[] = [
  { role: 'VIEWER', label: 'Viewer', note: 'Sees everything, changes nothing.' },
  {
    role: 'OPERATOR',
    label: 'Operator',
    note: 'Also pauses, resumes, halts and rolls back, opens waves, and holds, pins and moves machines.',
  },
  {
    role: 'PUBLISHER',
    label: 'Publisher',
    note: 'Also makes and promotes packages, sets floors and blacklists, and changes policies.',
  },
  {
    role: 'ADMIN',
    label: 'Admin',
    note: 'Also creates and deletes applications, groups and channels, forgets machines, and manages users.',
  },
  { role: 'OWNER', label: 'Owner', note: 'Also manages teams and owners, everywhere.' },
];

/** The roles that a user may give: up to the own. */
export const grantable = (own: Role): readonly RoleText[] =>
  roles.slice(0, roles.findIndex(({ role }) => role === own) + 1);

/** The role as a word. */
export const roleLabel = (role: Role): string => roles.find((one) => one.role === role)?.label ?? role;
