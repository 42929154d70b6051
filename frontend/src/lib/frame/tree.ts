import { graphql, type ResultOf } from '$lib/api/graphql';
import { urgency, type GroupState } from '$lib/group/state';

/** The applications and groups of the navigation. */
export const treeDocument = graphql(`
  subscription Navigation {
    fleetChanged {
      applications {
        id
        name
        groups {
          id
          name
          arch
          state
        }
      }
    }
  }
`);

export type TreeApplication = ResultOf<typeof treeDocument>['fleetChanged']['applications'][number];

/** The most urgent of the states. */
export const worst = (states: readonly GroupState[]): GroupState =>
  urgency.find((state) => states.includes(state)) ?? 'NO_PACKAGE';

/** Up to this many groups in total, all applications are open at first. */
const openUpTo = 20;

/** Whether an application shows its groups: the current one does and, if there are
 * few groups, every one with a package. `chosen` holds what the user opened or
 * closed. */
export function isOpen(
  { id, groups }: TreeApplication,
  applications: readonly TreeApplication[],
  current: string,
  chosen: ReadonlyMap<string, boolean>,
): boolean {
  const all = applications.reduce((sum, { groups }) => sum + groups.length, 0);
  const alone = applications.length === 1;
  const alive = groups.some(({ state }) => state !== 'NO_PACKAGE');
  return chosen.get(id) ?? (within(current, `/apps/${id}`) || (all <= openUpTo && (alive || alone)));
}

/** Whether a path is a page or below it. */
export const within = (current: string, path: string) =>
  path === '/' ? current === '/' : current === path || current.startsWith(`${path}/`);
