import type { MessageSettings, Notifier } from './notifier';

/** The last answer of the mail server; null before the first mail. */
export interface LastMail {
  failed: boolean;
  at: string;
  error: string;
}

/** The latest result of all mails, and of the notifiers that send mail. One that fails counts as long as no
 * other mail was accepted later: then the fault is its recipient's. */
export function lastMail(
  own: MessageSettings['lastMail'],
  notifiers: readonly Pick<Notifier, 'kind' | 'sentAt' | 'failingSince' | 'lastError'>[],
): LastMail | null {
  let last: LastMail | null = own && { failed: own.error !== '', ...own };
  for (const { kind, sentAt, failingSince, lastError } of notifiers) {
    if (kind !== 'MAIL') continue;
    for (const [at, failed] of [
      [sentAt, false],
      [failingSince, true],
    ] as const) {
      if (at && (!last || at > last.at)) last = { failed, at, error: failed ? lastError : '' };
    }
  }
  return last;
}

/** Where webhooks may be sent, as a sentence. */
export function receiversText(receivers: readonly string[]): string {
  if (receivers.length === 0) return 'They are sent nowhere.';
  const places = receivers.map((one) => (one === 'public' ? 'public addresses' : one));
  const last = places.at(-1) ?? '';
  const list = places.length > 1 ? `${places.slice(0, -1).join(', ')} and ${last}` : last;
  return receivers.length === 1 && receivers[0] === 'public'
    ? 'To public addresses only, not into the private network.'
    : `To ${list}.`;
}
