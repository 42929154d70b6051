import { graphql, type ResultOf } from '$lib/api/graphql';
import { wallTime } from '$lib/ui/local-time';
import { plural } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const notifierFragment = graphql(`
  fragment Notifier on Notifier {
    id
    teamId
    name
    kind
    url
    addresses
    authorization
    previousSecretUntil
    kinds
    minSeverity
    applicationIds
    groupIds
    digest
    quietFrom
    quietUntil
    timezone
    enabled
    disabledBecause
    sentAt
    failingSince
    lastError
    lastDay {
      total
      delivered
      waiting
      failed
    }
    firing
    createdBy
    createdAt
  }
`);

export const settingsFragment = graphql(`
  fragment MessageSettings on MessageSettings {
    mailServer
    mailFrom
    mailEncrypted
    lastMail {
      at
      error
    }
    receivers
  }
`);

export type MessageSettings = ResultOf<typeof settingsFragment>;

export type Notifier = ResultOf<typeof notifierFragment>;

/** Names for the conditions of notifiers, and the teams of which there can be several. */
export const placesFragment = graphql(`
  fragment NotifierPlaces on Query {
    teams {
      id
      name
    }
    applications {
      id
      name
      team {
        id
      }
      groups {
        id
        name
      }
    }
  }
`);

export type Places = ResultOf<typeof placesFragment>;

export const kindLabel: Record<Notifier['kind'], string> = {
  WEBHOOK: 'Webhook',
  SLACK: 'Slack',
  ALERTMANAGER: 'Alertmanager',
  MAIL: 'Mail',
};

/** Where a notifier sends. */
export const target = ({ url, addresses }: Pick<Notifier, 'url' | 'addresses'>): string =>
  url || addresses.join(', ');

type Condition = Pick<
  Notifier,
  'enabled' | 'disabledBecause' | 'failingSince' | 'lastError' | 'quietFrom' | 'quietUntil' | 'timezone'
> &
  Pick<Notifier, 'sentAt' | 'firing'>;

interface State {
  tone: Tone;
  label: string;
  /** Time after the label. */
  since?: string;
  /** Text of the receiver or of the server, which is foreign. */
  why?: string;
}

/** Whether a notifier works, the worst first. */
export function notifierState(notifier: Condition, now: Date): State {
  const { enabled, disabledBecause, failingSince, lastError, sentAt, firing } = notifier;
  if (!enabled && disabledBecause)
    return { tone: 'fail', label: 'Disabled by the server', why: disabledBecause };
  if (!enabled) return { tone: 'quiet', label: 'Disabled' };
  if (failingSince) return { tone: 'warn', label: 'Failing since', since: failingSince, why: lastError };
  if (isQuiet(notifier, now)) return { tone: 'quiet', label: `Quiet until ${notifier.quietUntil}` };
  if (firing > 0) return { tone: 'done', label: `Works, ${plural(firing, 'alert')} firing` };
  return sentAt ? { tone: 'done', label: 'Works' } : { tone: 'quiet', label: 'Nothing sent yet' };
}

/** Whether the quiet hours are now. They can span midnight. */
export function isQuiet(
  { quietFrom, quietUntil, timezone }: Pick<Notifier, 'quietFrom' | 'quietUntil' | 'timezone'>,
  now: Date,
): boolean {
  if (!quietFrom || !quietUntil) return false;
  const time = wallTime(now, timezone).slice(11);
  return quietFrom < quietUntil
    ? time >= quietFrom && time < quietUntil
    : time >= quietFrom || time < quietUntil;
}
