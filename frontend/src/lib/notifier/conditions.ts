import { kindLabel as activityLabel } from '$lib/activity/filter';
import { durationText } from '$lib/policy/duration';
import { isoSeconds, sentence } from '$lib/ui/format';
import type { Notifier, Places } from './notifier';

type Conditions = Pick<
  Notifier,
  | 'kind'
  | 'kinds'
  | 'minSeverity'
  | 'applicationIds'
  | 'groupIds'
  | 'digest'
  | 'quietFrom'
  | 'quietUntil'
  | 'timezone'
>;

/** The least severity, as it is chosen. */
export const severityLabel: Record<Notifier['minSeverity'], string> = {
  SUCCESS: 'All',
  INFO: 'All but successes',
  WARNING: 'Warnings and errors',
  ERROR: 'Errors only',
};

/** Names that a sentence lists before it counts the others. */
const listed = 3;

/** What a notifier sends, from where and when, as one sentence. */
export function conditionSentence(of: Conditions, places: Places | null): string {
  const severity = of.minSeverity === 'SUCCESS' ? '' : `, ${severityLabel[of.minSeverity].toLowerCase()}`;
  const digest = isoSeconds(of.digest) > 0 ? `; one message every ${every(of.digest)}` : '';
  const quiet = of.quietFrom ? `; quiet from ${of.quietFrom} to ${of.quietUntil} ${of.timezone}` : '';
  return sentence(`${what(of)}${severity}, ${where(of, places)}${digest}${quiet}.`);
}

function what({ kind, kinds }: Conditions): string {
  if (kind === 'ALERTMANAGER') return 'what needs attention';
  if (kinds.length === 0) return 'all but single machines';
  return several(kinds.map((one) => activityLabel[one].toLowerCase()));
}

function where({ applicationIds, groupIds }: Conditions, places: Places | null): string {
  const applications = places?.applications ?? [];
  const inApplications = applicationIds.map(
    (id) => applications.find((one) => one.id === id)?.name ?? 'a deleted application',
  );
  const inGroups = groupIds.map((id) => {
    const application = applications.find(({ groups }) => groups.some((group) => group.id === id));
    const group = application?.groups.find((one) => one.id === id);
    return application && group ? `${application.name} / ${group.name}` : 'a deleted group';
  });
  if (inApplications.length + inGroups.length === 0) return 'in all applications';
  if (inApplications.length === 0 || inGroups.length === 0)
    return `in ${several([...inApplications, ...inGroups])}`;
  return `in ${several(inApplications)} and there in ${several(inGroups)}`;
}

/** "hour", "15 min". */
const every = (digest: string): string =>
  durationText(digest).replace(/^1 h$/, 'hour').replace(/^1 d$/, 'day');

/** "a, b and c"; of many only the first. */
function several(names: readonly string[]): string {
  const shown =
    names.length > listed ? [...names.slice(0, listed - 1), `${names.length - listed + 1} more`] : [...names];
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}
