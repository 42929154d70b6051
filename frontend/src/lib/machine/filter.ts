import type { MachineList } from '$lib/paths';
import type { InstanceFilter, InstanceOrder } from './instances';
import { isReason } from './reason';
import { inFlight, type InstanceState } from './state';

/** The lists that numbers open. Each lists exactly the machines its number
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

/** Whose machines are listed; without either, all there are. */
export interface Scope {
  applicationId?: string;
  groupId?: string;
}

export interface VersionCount {
  version: string;
  machines: number;
  /** Only its group knows which versions count as the target. */
  onTarget: boolean;
}

/** The states in which nothing is under way. */
const resting = ['NONE', 'UNDEFINED', 'COMPLETE', 'ON_HOLD', 'ERROR'] as const satisfies InstanceState[];

/** The API's filter for what the address asks for. */
export function instanceFilter(
  scope: Scope,
  view: MachineList,
  versions: readonly Pick<VersionCount, 'version' | 'onTarget'>[],
  now: number,
): InstanceFilter {
  const named = (onTarget: boolean) => versions.filter((v) => v.onTarget === onTarget).map((v) => v.version);
  const show = asShow(view.show);
  const seen = asSeen(view.seen);
  const filter: InstanceFilter = { ...scope };
  if (isReason(view.reason)) Object.assign(filter, behind(named), { reasons: [view.reason] });
  if (show !== 'all') Object.assign(filter, byShow(show, named));
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
