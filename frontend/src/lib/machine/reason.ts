import { graphql } from '$lib/api/graphql';

export type Reason = ReturnType<typeof graphql.scalar<'Reason'>>;

/** Why a machine is answered "not now", as a column heading would say it. */
export const reasonWord: Record<Reason, string> = {
  NONE: 'Never asked',
  INVALID_REQUEST: 'Request not understood',
  UNKNOWN_APPLICATION: 'Unknown application',
  UNKNOWN_GROUP: 'Unknown group',
  UP_TO_DATE: 'Up to date',
  QUARANTINED: 'Quarantined',
  PINNED: 'Pinned by a person',
  HELD: 'Held by a person',
  NO_PACKAGE: 'No package',
  BLACKLISTED: 'Blacklisted package',
  UPDATE_IN_PROGRESS: 'Update in progress',
  PAUSED: 'Paused',
  HALTED: 'Halted',
  OUTSIDE_WINDOW: 'Outside the window',
  FROZEN: 'Calendar freeze',
  WAVE_NOT_REACHED: 'Wave not reached',
  SOAKING: 'Wave is soaking',
  WAITING_FOR_APPROVAL: 'Waiting for approval',
  SAFE_MODE_FIRST: 'First machine goes alone',
  CONCURRENCY_LIMIT: 'In-flight cap',
  PERIOD_LIMIT: 'Period cap',
  GRANTED: 'Granted',
};

/** The rules by what they look at, for the ladder of an explanation. */
export const ruleWord: Record<Reason, string> = {
  NONE: 'No check',
  INVALID_REQUEST: 'Request',
  UNKNOWN_APPLICATION: 'Application',
  UNKNOWN_GROUP: 'Group',
  UP_TO_DATE: 'Version',
  QUARANTINED: 'Quarantine',
  PINNED: 'Pin',
  HELD: 'Hold',
  NO_PACKAGE: 'Package',
  BLACKLISTED: 'Blacklist',
  UPDATE_IN_PROGRESS: 'Running attempt',
  PAUSED: 'Pause',
  HALTED: 'Halt',
  OUTSIDE_WINDOW: 'Window',
  FROZEN: 'Calendar freeze',
  WAVE_NOT_REACHED: 'Wave',
  SOAKING: 'Soak time',
  WAITING_FOR_APPROVAL: 'Approval',
  SAFE_MODE_FIRST: 'Safe mode',
  CONCURRENCY_LIMIT: 'In-flight cap',
  PERIOD_LIMIT: 'Period cap',
  GRANTED: 'Grant',
};

export const isReason = (text: string | null | undefined): text is Reason =>
  typeof text === 'string' && Object.hasOwn(reasonWord, text);

/** Those that keep a machine waiting, as the numbers count them. */
export const heldReasons = [
  'CONCURRENCY_LIMIT',
  'PERIOD_LIMIT',
  'OUTSIDE_WINDOW',
  'FROZEN',
  'WAVE_NOT_REACHED',
  'SOAKING',
  'WAITING_FOR_APPROVAL',
  'SAFE_MODE_FIRST',
  'PAUSED',
  'HALTED',
  'NO_PACKAGE',
  'BLACKLISTED',
] as const satisfies Reason[];
