import type { Role } from './roles';

/** A role on a part of the installation, as the API returns it. */
export interface Grant {
  role: Role;
  teamId: string | null;
  applicationId: string | null;
  groupId: string | null;
  team: { name: string } | null;
  application: { name: string } | null;
  group: { name: string } | null;
}

/** What a user may do, such as "Publisher on Flatcar, operator on group stable of agent".
 * A whole team is named only if there are several. */
export function rightsText(grants: readonly Grant[], severalTeams: boolean): string {
  const text = grants.map((grant) => grant.role.toLowerCase() + placeText(grant, severalTeams)).join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function placeText(grant: Grant, severalTeams: boolean): string {
  if (grant.groupId) {
    const name = grant.group ? `group ${grant.group.name}` : 'a deleted group';
    return ` on ${name}${grant.application ? ` of ${grant.application.name}` : ''}`;
  }
  if (grant.applicationId) return ` on ${grant.application?.name ?? 'a deleted application'}`;
  if (grant.teamId && severalTeams) return ` of team ${grant.team?.name ?? 'that is not yours'}`;
  return '';
}

/** A role on a place, as a form edits it. The place is `ownTeam`, `everyTeam`, or the kind
 * and the id of a team, an application or a group, such as "group:…". */
export interface Right {
  role: Role;
  place: string;
}

export const ownTeam = 'team';
export const everyTeam = '';

/** The rights of a user of a team, for a form. */
export const rightsOf = (grants: readonly Grant[], team: string): Right[] =>
  grants.map(({ role, teamId, applicationId, groupId }) => {
    if (groupId) return { role, place: `group:${groupId}` };
    if (applicationId) return { role, place: `application:${applicationId}` };
    if (teamId === team) return { role, place: ownTeam };
    return { role, place: teamId ? `team:${teamId}` : everyTeam };
  });

interface GrantInput {
  role: Role;
  teamId?: string;
  applicationId?: string;
  groupId?: string;
}

/** The input of a mutation for the rights of a user of a team. */
export function rightsInput(
  rights: readonly Right[],
  team: string,
): { role: Role } | { grants: GrantInput[] } {
  const [only] = rights;
  if (rights.length === 1 && only && (only.role === 'OWNER' || only.place === ownTeam))
    return { role: only.role };
  return {
    grants: rights.map(({ role, place }): GrantInput => {
      const [kind, id = ''] = place.split(':');
      if (role === 'OWNER' || place === everyTeam) return { role };
      if (kind === 'application') return { role, applicationId: id };
      if (kind === 'group') return { role, groupId: id };
      return { role, teamId: id || team };
    }),
  };
}
