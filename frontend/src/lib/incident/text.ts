import { activityText } from '$lib/activity/activity';
import { spaced, subject, verbText, type Audit } from '$lib/audit/entry';
import type { Point } from '$lib/group/timeline';
import { count, plural, sentence } from '$lib/ui/format';
import type { Entries, FailureKind, Rollout, Standing } from './incident';

/** What is known of an incident. */
export interface Facts {
  rollout: Rollout;
  /** The time of the incident. */
  at: Date;
  standing: Standing;
  /** Null if none is stored. */
  point: Point | null;
  /** Null if it is unknown how many there were until the time. */
  failures: readonly FailureKind[] | null;
  actions: readonly Audit[];
  activities: Entries['activities']['nodes'];
}

/** Lines of a list in the text. */
const most = 5;

/** A time for readers in any zone: "2026-11-28 02:31:05 UTC". */
export const utc = (at: Date): string => `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** The numbers of a point that are not 0, in one line. Machines count as on a bad version
 * by what is known of the version now. */
export function numbersText(point: Point): string {
  const machines = [...point.versions.filter((one) => one.machines > 0)];
  const all = machines.reduce((sum, one) => sum + one.machines, 0);
  return [
    plural(all, 'active machine'),
    ...machines.map((one) => `${count(one.machines)} on ${one.version || 'an unknown version'}`),
    ...(point.inFlight > 0 ? [`${count(point.inFlight)} in flight`] : []),
    ...(point.failed > 0 ? [`${count(point.failed)} failed`] : []),
  ].join(', ');
}

export const failuresText = (failures: readonly FailureKind[]): string =>
  failures.map(({ name, attempts }) => `${count(attempts)} × ${name}`).join(', ');

/** What the halt rule counted, as it was recorded; "" if it was not halted until that time. */
export function haltText({ halt }: Rollout, at: Date): string {
  if (!halt || Date.parse(halt.at) > at.getTime()) return '';
  return `${sentence(halt.sentence)}.`;
}

/** One entry of the audit: "ana rolled back channel stable". */
export function actionText(entry: Audit): string {
  const { kind, name } = subject(entry);
  const version = entry.package && entry.action === 'promotePackage' ? ` to ${entry.package.version}` : '';
  const reason = entry.reason && `: “${entry.reason}”`;
  const verb = verbText[entry.action] ?? spaced(entry.action);
  return `${entry.actor} ${verb} ${[kind, name].filter(Boolean).join(' ')}${version}${reason}`;
}

/** The incident as a short text for a chat. */
export function incidentText(facts: Facts, link: string): string {
  const { rollout, at, standing, point, failures } = facts;
  const { group, version } = rollout;
  const entries = [
    ...facts.actions.map((entry) => ({ at: entry.at, text: actionText(entry) })),
    ...facts.activities
      // A user's action is in the audit.
      .filter(({ actor }) => actor === '')
      .map((entry) => ({ at: entry.at, text: activityText(entry) })),
  ]
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, most);
  return [
    `${version} in ${group.application.name}, ${group.name}${group.channel ? ` (channel ${group.channel.name})` : ''}`,
    `As of ${utc(at)}: ${standing.label.toLowerCase()}${standing.since ? ` since ${utc(new Date(standing.since))}` : ''}`,
    ...[haltText(rollout, at)].filter(Boolean),
    point
      ? `Numbers of ${utc(new Date(point.at))}: ${numbersText(point)}`
      : 'No numbers of that time are stored.',
    failures
      ? `Failed attempts until then: ${failuresText(failures.slice(0, most)) || 'none'}`
      : 'How many attempts had failed until then is not known: too many, or not stored any more.',
    ...(entries.length > 0 ? ['Last actions until then:'] : []),
    ...entries.map((entry) => `- ${utc(new Date(entry.at))} ${entry.text}`),
    link,
  ].join('\n');
}
