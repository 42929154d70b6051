import type { GroupState } from '$lib/group/state';

/** The groups that are halted now and were not. */
export const newlyHalted = <Group extends { id: string; state: GroupState }>(
  groups: readonly Group[],
  known: ReadonlySet<string>,
): Group[] => groups.filter(({ id, state }) => state === 'HALTED' && !known.has(id));
