import { graphql } from '$lib/api/graphql';

export type Reason = ReturnType<typeof graphql.scalar<'Reason'>>;

/** Labels of the reasons that an update check is answered with. */
export const reasonLabel: Record<Reason, string> = {
  NONE: 'No check yet',
  INVALID_REQUEST: 'Invalid request',
  UNKNOWN_APPLICATION: 'Unknown application',
  UNKNOWN_GROUP: 'Unknown group',
  UP_TO_DATE: 'Up to date',
  OUTSIDE_CLIENT_PREFIX: 'Outside version prefix',
  DISABLED_BY_CLIENT: 'Disabled on the machine',
  QUARANTINED: 'Quarantined',
  PINNED: 'Pinned',
  HELD: 'Held',
  NO_PACKAGE: 'No package',
  BLACKLISTED: 'Blacklisted package',
  UPDATE_IN_PROGRESS: 'Update in progress',
  NOT_ENROLLED: 'Not enrolled',
  PAUSED: 'Paused',
  HALTED: 'Halted',
  OUTSIDE_WINDOW: 'Outside window',
  FROZEN: 'Calendar freeze',
  WAVE_NOT_REACHED: 'Wave not reached',
  SOAKING: 'Wave soaking',
  WAITING_FOR_APPROVAL: 'Waiting for approval',
  SAFE_MODE_FIRST: 'First machine pending',
  NEWCOMER_WAITS: 'Known machines first',
  CONCURRENCY_LIMIT: 'In-flight cap',
  PERIOD_LIMIT: 'Period cap',
  GRANTED: 'Granted',
};

/** Labels of the rules that produce the reasons. */
export const ruleLabel: Record<Reason, string> = {
  NONE: 'No check',
  INVALID_REQUEST: 'Request',
  UNKNOWN_APPLICATION: 'Application',
  UNKNOWN_GROUP: 'Group',
  UP_TO_DATE: 'Version',
  OUTSIDE_CLIENT_PREFIX: 'Version prefix of the machine',
  DISABLED_BY_CLIENT: 'Updates of the machine',
  QUARANTINED: 'Quarantine',
  PINNED: 'Pin',
  HELD: 'Hold',
  NO_PACKAGE: 'Package',
  BLACKLISTED: 'Blacklist',
  UPDATE_IN_PROGRESS: 'Attempt in progress',
  NOT_ENROLLED: 'Enrolment',
  PAUSED: 'Pause',
  HALTED: 'Halt',
  OUTSIDE_WINDOW: 'Window',
  FROZEN: 'Calendar freeze',
  WAVE_NOT_REACHED: 'Wave',
  SOAKING: 'Soak time',
  WAITING_FOR_APPROVAL: 'Approval',
  SAFE_MODE_FIRST: 'Safe mode',
  NEWCOMER_WAITS: 'Known machines first',
  CONCURRENCY_LIMIT: 'In-flight cap',
  PERIOD_LIMIT: 'Period cap',
  GRANTED: 'Grant',
};

export const isReason = (text: string | null | undefined): text is Reason =>
  typeof text === 'string' && Object.hasOwn(reasonLabel, text);

/** Reasons that count a machine as held. */
export const heldReasons = [
  'CONCURRENCY_LIMIT',
  'PERIOD_LIMIT',
  'OUTSIDE_WINDOW',
  'FROZEN',
  'WAVE_NOT_REACHED',
  'SOAKING',
  'WAITING_FOR_APPROVAL',
  'SAFE_MODE_FIRST',
  'NEWCOMER_WAITS',
  'NOT_ENROLLED',
  'PAUSED',
  'HALTED',
  'NO_PACKAGE',
  'BLACKLISTED',
  'OUTSIDE_CLIENT_PREFIX',
  'DISABLED_BY_CLIENT',
] as const satisfies Reason[];
