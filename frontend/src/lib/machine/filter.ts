import { graphql } from '$lib/api/graphql';
import type { MachineList } from '$lib/paths';
import type { CountedAs, InstanceFilter, InstanceOrder } from './instances';
import { isReason } from './reason';

/** The lists that numbers open. Each lists exactly the machines its number
 * counts. */
export type Show =
  | 'all'
  | 'active'
  | 'on-target'
  | 'in-flight'
  | 'waiting'
  | 'failed'
  | 'failed-or-quarantined'
  | 'quarantined'
  | 'silent'
  | 'overridden';

export const showWord: Record<Show, string> = {
  all: 'All',
  'in-flight': 'In flight',
  waiting: 'Waiting',
  failed: 'Failed',
  quarantined: 'Quarantined',
  'failed-or-quarantined': 'Failed or quarantined',
  'on-target': 'On target',
  silent: 'Silent',
  overridden: 'Held or pinned',
  active: 'Seen within 24 h',
};

/** The usual lists. The others are offered while there is something in them,
 * those that only the numbers of other pages open while they are shown. */
export const usual: readonly Show[] = ['all', 'in-flight', 'waiting', 'failed'];
export const onlyLinked: readonly Show[] = ['active', 'failed-or-quarantined'];

export const asShow = (text: string | null | undefined): Show =>
  text && Object.hasOwn(showWord, text) ? (text as Show) : 'all';

const hour = 3_600_000;
const day = 24 * hour;

/** When they were last seen, by what the address says. */
export const seenWord = {
  '1h': 'Seen within the hour',
  '24h': 'Seen within 24 h',
  'not-1d': 'Silent for a day',
  'not-7d': 'Silent for a week',
  'not-30d': 'Silent for a month',
} as const;

type Seen = keyof typeof seenWord;

const seenSpan: Record<Seen, number> = {
  '1h': hour,
  '24h': day,
  'not-1d': day,
  'not-7d': 7 * day,
  'not-30d': 30 * day,
};

export const asSeen = (text: string | null | undefined): Seen | null =>
  text && Object.hasOwn(seenWord, text) ? (text as Seen) : null;

/** What a list of machines asks of the address of its page. */
export function machineListView(given: URLSearchParams): MachineList {
  const keys = ['show', 'reason', 'version', 'oem', 'seen', 'search', 'sort', 'layout'] as const;
  return Object.fromEntries(keys.map((key) => [key, given.get(key)]));
}

/** The counts of a group that its list of machines shows. */
export const machineCountsFragment = graphql(`
  fragment MachineCounts on GroupNumbers {
    total
    active
    onTarget
    inFlight
    waiting
    failed
    quarantined
    silent
    overridden
    byVersion {
      version
      machines
    }
  }
`);

/** Whose machines are listed; without either, all of the server. */
export interface Scope {
  applicationId?: string;
  groupId?: string;
}

export interface VersionCount {
  version: string;
  machines: number;
}

const countedAs: Record<Exclude<Show, 'all' | 'active'>, CountedAs[]> = {
  'on-target': ['ON_TARGET'],
  'in-flight': ['IN_FLIGHT'],
  waiting: ['WAITING'],
  failed: ['FAILED'],
  'failed-or-quarantined': ['FAILED', 'QUARANTINED'],
  quarantined: ['QUARANTINED'],
  silent: ['SILENT'],
  overridden: ['OVERRIDDEN'],
};

/** The API's filter for what the address asks for. */
export function instanceFilter(scope: Scope, view: MachineList, now: number): InstanceFilter {
  const show = asShow(view.show);
  const seen = asSeen(view.seen);
  const filter: InstanceFilter = { ...scope };
  if (show === 'active') filter.standings = ['ACTIVE', 'OVERRIDDEN', 'QUARANTINED'];
  else if (show !== 'all') filter.countedAs = countedAs[show];
  if (isReason(view.reason)) {
    filter.reasons = [view.reason];
    // Whom the numbers count as held for it: not those who got by since.
    filter.countedAs ??= ['WAITING', 'FAILED'];
  }
  if (view.version) filter.versions = [view.version];
  if (view.oem) filter.oem = view.oem;
  if (seen) {
    const edge = new Date(now - seenSpan[seen]).toISOString();
    if (seen.startsWith('not-')) filter.seenBefore = edge;
    else filter.seenAfter = edge;
  }
  if (view.search) filter.search = view.search;
  return filter;
}

export type Column = 'machine' | 'state' | 'version';

const fields = { machine: 'MACHINE_ID', state: 'STATE', version: 'VERSION' } as const satisfies Record<
  Column,
  InstanceOrder['field']
>;

export interface Sort {
  column: Column;
  descending: boolean;
}

/** "-version" → by version, highest first. State and version can only be sorted
 * by within a group. */
export function asSort(text: string | null | undefined, inGroup: boolean): Sort {
  const column = text?.replace(/^-/, '') ?? '';
  if (!Object.hasOwn(fields, column) || (column !== 'machine' && !inGroup))
    return { column: 'machine', descending: false };
  return { column: column as Column, descending: text?.startsWith('-') ?? false };
}

/** For the address; null for the usual order. */
export const sortText = ({ column, descending }: Sort): string | null =>
  column === 'machine' && !descending ? null : `${descending ? '-' : ''}${column}`;

export const instanceOrder = ({ column, descending }: Sort): InstanceOrder => ({
  field: fields[column],
  direction: descending ? 'DESC' : 'ASC',
});
