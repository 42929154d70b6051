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

/** Groups that are all shown at once; with more only those of the application one
 * is in, unless somebody opened others. */
const few = 16;

/** Which applications show their groups. `chosen` is what a person opened or
 * closed by hand. */
export function isOpen(
  application: TreeApplication,
  applications: readonly TreeApplication[],
  current: string,
  chosen: ReadonlyMap<string, boolean>,
): boolean {
  const groups = applications.reduce((sum, { groups }) => sum + groups.length, 0);
  return chosen.get(application.id) ?? (groups <= few || within(current, `/apps/${application.id}`));
}

/** Whether an address is a page or one below it. */
export const within = (current: string, path: string) =>
  path === '/' ? current === '/' : current === path || current.startsWith(`${path}/`);
