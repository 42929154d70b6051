import type { GroupView } from '$lib/paths';
import type { InstanceFilter } from './instances.svelte';
import { isReason } from './reason';
import { inFlight, type InstanceState } from './state';

/** The lists a group's numbers open. Each lists exactly the machines its number
 * counts. */
export type Show =
  'all' | 'on-target' | 'in-flight' | 'waiting' | 'failed' | 'quarantined' | 'silent' | 'overridden';

export const showWord: Record<Show, string> = {
  all: 'All',
  'in-flight': 'In flight',
  waiting: 'Waiting',
  failed: 'Failed',
  quarantined: 'Quarantined',
  'on-target': 'On target',
  silent: 'Silent',
  overridden: 'Held or pinned',
};

export const asShow = (text: string | null): Show =>
  text !== null && Object.hasOwn(showWord, text) ? (text as Show) : 'all';

/** The states in which nothing is under way. */
const resting = ['NONE', 'UNDEFINED', 'COMPLETE', 'ON_HOLD', 'ERROR'] as const satisfies InstanceState[];

interface Version {
  version: string;
  onTarget: boolean;
}

/** The API's filter for what the address asks for. `versions` are those of the
 * group: only it knows which of them count as the target. */
export function instanceFilter(
  groupId: string,
  view: GroupView,
  versions: readonly Version[],
): InstanceFilter {
  const named = (onTarget: boolean) => versions.filter((v) => v.onTarget === onTarget).map((v) => v.version);
  const show = asShow(view.show ?? null);
  const reason = view.reason ?? null;
  const filter: InstanceFilter = { groupId };
  if (isReason(reason)) {
    Object.assign(filter, behind(named), { reasons: [reason] });
  }
  if (show !== 'all') Object.assign(filter, byShow(show, named));
  if (view.version) filter.versions = [view.version];
  if (view.search) filter.search = view.search;
  return filter;
}

type Named = (onTarget: boolean) => string[];

/** Whoever has something to update to and is not on the way. */
const behind = (versions: Named): InstanceFilter => ({
  standings: ['ACTIVE'],
  states: [...resting],
  versions: versions(false),
});

function byShow(show: Exclude<Show, 'all'>, versions: Named): InstanceFilter {
  switch (show) {
    case 'in-flight':
      return { states: [...inFlight] };
    case 'on-target':
      return { ...behind(versions), versions: versions(true) };
    case 'waiting':
      return { ...behind(versions), states: resting.filter((state) => state !== 'ERROR') };
    case 'failed':
      return { ...behind(versions), states: ['ERROR'] };
    case 'quarantined':
      return { standings: ['QUARANTINED'], states: [...resting] };
    case 'silent':
      return { standings: ['SILENT'], states: [...resting] };
    case 'overridden':
      return { standings: ['OVERRIDDEN'], states: [...resting] };
  }
}
