import type { ActivityView } from '$lib/paths';
import type { ActivityFilter } from './log';
import type { Activity } from './activity';

type Kind = Activity['kind'];
type Severity = Activity['severity'];

export const kindLabel: Record<Kind, string> = {
  ROLLOUT_STARTED: 'Rollout started',
  ROLLOUT_FINISHED: 'Rollout finished',
  ROLLOUT_HALTED: 'Rollout halted',
  WAVE_ADVANCED: 'Wave opened',
  PAUSED: 'Group paused',
  RESUMED: 'Group resumed',
  MACHINE_FAILED: 'Machine failed',
  MACHINE_CAME_BACK: 'Machine came back',
  ROLLOUT_STALLED: 'Rollout stalled',
  MACHINE_QUARANTINED: 'Machine quarantined',
  CHANNEL_MOVED: 'Channel moved',
  POLICY_CHANGED: 'Policy changed',
  PACKAGE_BLACKLISTED: 'Package blacklisted',
  SAME_VERSION: 'Another build of a version',
  ROLLED_BACK: 'Channel rolled back',
  MACHINES_HELD: 'Machines held',
  MACHINES_PINNED: 'Machines pinned',
  MACHINES_RELEASED: 'Machines released',
  MACHINES_MOVED: 'Machines moved',
  REBOOT_SLOT_OVERDUE: 'Reboot slot overdue',
  REBOOT_SLOT_RELEASED: 'Reboot slot released',
  MACHINES_LABELED: 'Machines labeled',
  PACKAGE_NOT_FOUND: 'No package to offer',
  MIRROR_FAILED: 'Mirror failed',
  MIRROR_WORKS: 'Mirror works again',
  MIRROR_FOUND: 'Mirror found a version',
  MIRROR_WITHDRAWN: 'Version taken back upstream',
  TIMES_REPAIRED: 'Times repaired',
};

/** Choices of the severity filter. */
export const severityChoice: Record<string, { label: string; severities: Severity[] }> = {
  problems: { label: 'Warnings and errors', severities: ['WARNING', 'ERROR'] },
  error: { label: 'Errors', severities: ['ERROR'] },
  warning: { label: 'Warnings', severities: ['WARNING'] },
  info: { label: 'Information', severities: ['INFO'] },
  success: { label: 'Successes', severities: ['SUCCESS'] },
};

const hour = 3_600_000;

/** Choices of the time filter; spans in milliseconds. */
export const rangeChoice: Record<string, { label: string; span: number }> = {
  '1h': { label: 'Last hour', span: hour },
  '1d': { label: 'Last 24 hours', span: 24 * hour },
  '7d': { label: 'Last 7 days', span: 7 * 24 * hour },
  '30d': { label: 'Last 30 days', span: 30 * 24 * hour },
};

/** Start of a range from the address, ISO 8601; null for no limit. */
export function rangeBegin(range: string | null | undefined, now: number): string | null {
  const choice = range ? rangeChoice[range] : undefined;
  return choice ? new Date(now - choice.span).toISOString() : null;
}

/** The API filter for an address. Unknown values are ignored. */
export function activityFilter(view: ActivityView, now: number): ActivityFilter {
  const filter: ActivityFilter = {};
  if (view.application) filter.applicationId = view.application;
  if (view.group) filter.groupId = view.group;
  if (view.machine) filter.instanceId = view.machine;
  if (view.text) filter.text = view.text;
  if (view.kind && Object.hasOwn(kindLabel, view.kind)) filter.kinds = [view.kind as Kind];
  const severity = view.severity ? severityChoice[view.severity] : undefined;
  if (severity) filter.severities = severity.severities;
  const since = rangeBegin(view.range, now);
  if (since) filter.since = since;
  const newest = Date.parse(view.until ?? '');
  // The filter ends before its time, and the entry may be a part of a millisecond later.
  if (!Number.isNaN(newest)) filter.until = new Date(newest + 1).toISOString();
  return filter;
}
