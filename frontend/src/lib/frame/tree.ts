import { graphql, type ResultOf } from '$lib/api/graphql';
import type { GroupState } from '$lib/group/state';

/** Applications and groups, as the navigation shows them. */
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

/** Most urgent first. */
const urgency: readonly GroupState[] = ['HALTED', 'PAUSED', 'ROLLING_OUT', 'UP_TO_DATE', 'NO_PACKAGE'];

/** The state that stands for all of them. */
export const worst = (states: readonly GroupState[]): GroupState =>
  urgency.find((state) => states.includes(state)) ?? 'NO_PACKAGE';

/** As many groups are shown at once without being asked for. */
const few = 20;

/** Which applications show their groups: the one that one is in and, with few
 * groups, those that offer something. `chosen` is what a person opened or closed
 * by hand. */
export function isOpen(
  { id, groups }: TreeApplication,
  applications: readonly TreeApplication[],
  current: string,
  chosen: ReadonlyMap<string, boolean>,
): boolean {
  const all = applications.reduce((sum, { groups }) => sum + groups.length, 0);
  const alone = applications.length === 1;
  const alive = groups.some(({ state }) => state !== 'NO_PACKAGE');
  return chosen.get(id) ?? (within(current, `/apps/${id}`) || (all <= few && (alive || alone)));
}

/** Whether an address is a page or one below it. */
export const within = (current: string, path: string) =>
  path === '/' ? current === '/' : current === path || current.startsWith(`${path}/`);
