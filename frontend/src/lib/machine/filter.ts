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
  text !== null && text in showWord ? (text as Show) : 'all';

const standing: InstanceState[] = ['NONE', 'UNDEFINED', 'COMPLETE', 'ON_HOLD'];

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
  const filter: InstanceFilter = { groupId, ...byShow(asShow(view.show ?? null), named) };
  const reason = view.reason ?? null;
  if (isReason(reason)) filter.reasons = [reason];
  if (view.version) filter.versions = [view.version];
  if (view.search) filter.search = view.search;
  return filter;
}

function byShow(show: Show, versions: (onTarget: boolean) => string[]): InstanceFilter {
  switch (show) {
    case 'all':
      return {};
    case 'in-flight':
      return { states: [...inFlight] };
    case 'on-target':
      return { standings: ['ACTIVE'], states: [...standing, 'ERROR'], versions: versions(true) };
    case 'waiting':
      return { standings: ['ACTIVE'], states: standing, versions: versions(false) };
    case 'failed':
      return { standings: ['ACTIVE'], states: ['ERROR'], versions: versions(false) };
    case 'quarantined':
      return { standings: ['QUARANTINED'] };
    case 'silent':
      return { standings: ['SILENT'] };
    case 'overridden':
      return { standings: ['OVERRIDDEN'] };
  }
}
