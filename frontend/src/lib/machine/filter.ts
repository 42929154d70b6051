import { graphql } from '$lib/api/graphql';
import type { MachineList } from '$lib/paths';
import type { CountedAs, InstanceFilter, InstanceOrder } from './instances';
import { labelFilter } from './labels';
import { isReason } from './reason';

/** The lists behind the numbers. Each contains exactly the machines that its number
 * counts. */
export type Show =
  | 'all'
  | 'active'
  | 'on-target'
  | 'another-build'
  | 'above-target'
  | 'bad-version'
  | 'in-flight'
  | 'waiting'
  | 'failed'
  | 'failed-or-quarantined'
  | 'quarantined'
  | 'silent'
  | 'overridden';

export const showLabel: Record<Show, string> = {
  all: 'All',
  'in-flight': 'In flight',
  waiting: 'Waiting',
  failed: 'Failed',
  quarantined: 'Quarantined',
  'failed-or-quarantined': 'Failed or quarantined',
  'on-target': 'On target',
  'another-build': 'Another build',
  'above-target': 'Above the target',
  'bad-version': 'On a bad version',
  silent: 'Silent',
  overridden: 'Held or pinned',
  active: 'Seen within 24 h',
};

/** Always offered. Other lists are offered while they contain machines; `onlyLinked`
 * lists only while they are open. */
export const usual: readonly Show[] = ['all', 'in-flight', 'waiting', 'failed'];
export const onlyLinked: readonly Show[] = ['active', 'failed-or-quarantined'];

export const asShow = (text: string | null | undefined): Show =>
  text && Object.hasOwn(showLabel, text) ? (text as Show) : 'all';

const hour = 3_600_000;
const day = 24 * hour;

/** Choices of the last-seen filter. */
export const seenLabel = {
  '1h': 'Seen within the hour',
  '24h': 'Seen within 24 h',
  'not-1d': 'Silent for a day',
  'not-7d': 'Silent for a week',
  'not-30d': 'Silent for a month',
} as const;

type Seen = keyof typeof seenLabel;

const seenSpan: Record<Seen, number> = {
  '1h': hour,
  '24h': day,
  'not-1d': day,
  'not-7d': 7 * day,
  'not-30d': 30 * day,
};

export const asSeen = (text: string | null | undefined): Seen | null =>
  text && Object.hasOwn(seenLabel, text) ? (text as Seen) : null;

/** Reads the filters of a list of machines from an address. */
export function machineListView(given: URLSearchParams): MachineList {
  const keys = ['show', 'reason', 'version', 'oem', 'label', 'seen', 'search', 'sort', 'layout'] as const;
  return Object.fromEntries(keys.map((key) => [key, given.get(key)]));
}

/** The counts of a group that its list of machines shows. */
export const machineCountsFragment = graphql(`
  fragment MachineCounts on GroupNumbers {
    total
    active
    onTarget
    aboveTarget
    badVersion
    otherBuild
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
  'another-build': ['OTHER_BUILD'],
  'above-target': ['ABOVE_TARGET'],
  'bad-version': ['BAD_VERSION'],
  'in-flight': ['IN_FLIGHT'],
  waiting: ['WAITING'],
  failed: ['FAILED'],
  'failed-or-quarantined': ['FAILED', 'QUARANTINED'],
  quarantined: ['QUARANTINED'],
  silent: ['SILENT'],
  overridden: ['OVERRIDDEN'],
};

/** The API filter for an address. */
export function instanceFilter(scope: Scope, view: MachineList, now: number): InstanceFilter {
  const show = asShow(view.show);
  const seen = asSeen(view.seen);
  const filter: InstanceFilter = { ...scope };
  if (show === 'active') filter.standings = ['ACTIVE', 'OVERRIDDEN', 'QUARANTINED'];
  else if (show !== 'all') filter.countedAs = countedAs[show];
  if (isReason(view.reason)) {
    filter.reasons = [view.reason];
    // The machines counted as held for this reason, not those granted since.
    filter.countedAs ??= ['WAITING', 'FAILED'];
  }
  if (view.version) filter.versions = [view.version];
  if (view.oem) filter.oem = view.oem;
  if (view.label) Object.assign(filter, labelFilter(view.label));
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

/** "-version" sorts by version, highest first. Only a list of one group can be
 * sorted by state and version. */
export function asSort(text: string | null | undefined, inGroup: boolean): Sort {
  const column = text?.replace(/^-/, '') ?? '';
  if (!Object.hasOwn(fields, column) || (column !== 'machine' && !inGroup))
    return { column: 'machine', descending: false };
  return { column: column as Column, descending: text?.startsWith('-') ?? false };
}

/** The query parameter of an order; null for the default. */
export const sortText = ({ column, descending }: Sort): string | null =>
  column === 'machine' && !descending ? null : `${descending ? '-' : ''}${column}`;

export const instanceOrder = ({ column, descending }: Sort): InstanceOrder => ({
  field: fields[column],
  direction: descending ? 'DESC' : 'ASC',
});
