import type { VariablesOf } from '$lib/api/graphql';
import { isoSeconds } from '$lib/ui/format';
import type { createNotifierMutation, updateNotifierMutation } from './mutations';
import type { Notifier, Places } from './notifier';

type CreateInput = VariablesOf<typeof createNotifierMutation>['input'];
type UpdateInput = VariablesOf<typeof updateNotifierMutation>['input'];

/** A notifier as the dialog edits it. */
export interface NotifierForm {
  teamId: string;
  name: string;
  kind: Notifier['kind'];
  /** Of an existing notifier empty, because the server does not show all of it: it stays. */
  url: string;
  /** One address per line. */
  addresses: string;
  /** Of an existing notifier empty: it stays. */
  authorization: string;
  withoutAuthorization: boolean;
  /** `all` but single machines, or those that are chosen. */
  events: 'all' | 'chosen';
  kinds: Notifier['kinds'];
  minSeverity: Notifier['minSeverity'];
  scope: 'all' | 'applications' | 'groups';
  applicationIds: string[];
  groupIds: string[];
  digest: string;
  quiet: boolean;
  quietFrom: string;
  quietUntil: string;
  timezone: string;
}

export const newForm = (teamId: string, timezone: string): NotifierForm => ({
  teamId,
  name: '',
  kind: 'WEBHOOK',
  url: '',
  addresses: '',
  authorization: '',
  withoutAuthorization: false,
  events: 'all',
  kinds: [],
  minSeverity: 'SUCCESS',
  scope: 'all',
  applicationIds: [],
  groupIds: [],
  digest: 'PT0S',
  quiet: false,
  quietFrom: '22:00',
  quietUntil: '06:00',
  timezone,
});

export const formOf = (notifier: Notifier): NotifierForm => ({
  ...newForm(notifier.teamId, notifier.timezone),
  name: notifier.name,
  kind: notifier.kind,
  addresses: notifier.addresses.join('\n'),
  events: notifier.kinds.length > 0 ? 'chosen' : 'all',
  kinds: [...notifier.kinds],
  minSeverity: notifier.minSeverity,
  scope:
    notifier.groupIds.length > 0 ? 'groups' : notifier.applicationIds.length > 0 ? 'applications' : 'all',
  applicationIds: [...notifier.applicationIds],
  groupIds: [...notifier.groupIds],
  digest: notifier.digest,
  ...(notifier.quietFrom
    ? { quiet: true, quietFrom: notifier.quietFrom, quietUntil: notifier.quietUntil }
    : {}),
});

/** What the form lacks before it can be sent: [field, message]; null if nothing. */
export function missing(form: NotifierForm): [field: string, message: string] | null {
  if (form.kind !== 'ALERTMANAGER' && form.events === 'chosen' && form.kinds.length === 0)
    return ['kinds', 'choose at least one'];
  if (form.scope === 'applications' && form.applicationIds.length === 0)
    return ['applicationIds', 'choose at least one'];
  if (form.scope === 'groups' && form.groupIds.length === 0) return ['groupIds', 'choose at least one'];
  return null;
}

export const createInput = (form: NotifierForm): CreateInput => ({
  ...(form.teamId ? { teamId: form.teamId } : {}),
  kind: form.kind,
  ...conditions(form),
  ...(form.kind === 'MAIL' ? {} : { url: form.url.trim() }),
  ...(form.authorization && hasAuthorization(form) ? { authorization: form.authorization.trim() } : {}),
});

/** The URL and the header are sent only when they change, because the server does not show them. */
export const updateInput = (id: string, form: NotifierForm): UpdateInput => ({
  id,
  ...conditions(form),
  ...(form.kind !== 'MAIL' && form.url.trim() ? { url: form.url.trim() } : {}),
  ...(form.withoutAuthorization
    ? { authorization: '' }
    : form.authorization.trim() && hasAuthorization(form)
      ? { authorization: form.authorization.trim() }
      : {}),
});

/** Slack has its secret in the URL, and mail has none. */
export const hasAuthorization = ({ kind }: Pick<NotifierForm, 'kind'>): boolean =>
  kind === 'WEBHOOK' || kind === 'ALERTMANAGER';

/** What both inputs have. Alertmanager groups and silences by itself. */
function conditions(form: NotifierForm) {
  const alerts = form.kind === 'ALERTMANAGER';
  const quiet = form.quiet && !alerts;
  return {
    name: form.name,
    ...(form.kind === 'MAIL' ? { addresses: form.addresses.split(/[\s,;]+/).filter(Boolean) } : {}),
    kinds: form.events === 'chosen' && !alerts ? form.kinds : [],
    minSeverity: form.minSeverity,
    // Groups can be in applications that are chosen, too, if a script has set both.
    applicationIds: form.scope === 'all' ? [] : form.applicationIds,
    groupIds: form.scope === 'groups' ? form.groupIds : [],
    digest: alerts ? 'PT0S' : form.digest,
    quietFrom: quiet ? form.quietFrom.trim() : '',
    quietUntil: quiet ? form.quietUntil.trim() : '',
    timezone: form.timezone.trim(),
  };
}

const digests = [
  ['PT0S', 'Each message alone'],
  ['PT15M', 'Every 15 minutes'],
  ['PT1H', 'Every hour'],
  ['PT4H', 'Every 4 hours'],
  ['P1D', 'Once a day'],
] as const;

/** The choices of a digest with the present one, which a script may have set to any minutes. */
export function digestOptions(present: string): { value: string; label: string }[] {
  const options = digests.map(([value, label]) => ({ value: value as string, label: label as string }));
  const seconds = isoSeconds(present);
  const known = options.find(({ value }) => isoSeconds(value) === seconds);
  if (known) known.value = present;
  else options.push({ value: present, label: `Every ${Math.round(seconds / 60)} minutes` });
  return options;
}

/** The applications or groups of a team that a notifier can be limited to. */
export function placeOptions(places: Places | null, teamId: string, scope: 'applications' | 'groups') {
  const applications = (places?.applications ?? []).filter(({ team }) => !teamId || team.id === teamId);
  if (scope === 'applications') return applications.map(({ id, name }) => ({ id, label: name }));
  return applications.flatMap(({ name, groups }) =>
    groups.map((group) => ({ id: group.id, label: `${name} / ${group.name}` })),
  );
}
