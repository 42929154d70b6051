import { graphql, type ResultOf } from '$lib/api/graphql';
import { duration, isoSeconds, plural } from '$lib/ui/format';
import type { Tone } from '$lib/ui/tone';

export const deliveryFragment = graphql(`
  fragment DeliveryRow on Delivery {
    id
    type
    summary
    state
    attempts
    nextAt
    createdAt
    endedAt
    digestId
    log {
      at
      delivered
      class
      status
      error
      took
    }
  }
`);

export const deliveryDetailsFragment = graphql(
  `
    fragment DeliveryDetails on Delivery {
      ...DeliveryRow
      request
      response
    }
  `,
  [deliveryFragment],
);

export const failedDeliveryFragment = graphql(
  `
    fragment FailedDelivery on Delivery {
      ...DeliveryRow
      notifierId
      failedAt
    }
  `,
  [deliveryFragment],
);

export type Delivery = ResultOf<typeof deliveryFragment>;
export type FailedDelivery = ResultOf<typeof failedDeliveryFragment>;
export type DeliveryDetails = ResultOf<typeof deliveryDetailsFragment>;
type Attempt = Delivery['log'][number];

/** Which deliveries a list shows. */
export const deliveryChoice = {
  all: { label: 'All', states: [], type: null },
  failed: { label: 'Given up', states: ['FAILED'], type: null },
  waiting: { label: 'Waiting', states: ['PENDING', 'HELD'], type: null },
  tests: { label: 'Tests', states: [], type: 'test' },
} as const satisfies Record<string, { label: string; states: Delivery['state'][]; type: string | null }>;

export type DeliveryChoice = keyof typeof deliveryChoice;

export const asChoice = (text: string | null): DeliveryChoice =>
  text !== null && Object.hasOwn(deliveryChoice, text) ? (text as DeliveryChoice) : 'all';

/** Attempts after which a message is given up. */
const maxAttempts = 10;

const failureLabel: Record<NonNullable<Attempt['class']>, string> = {
  STATUS: 'Refused',
  DNS: 'Name not found',
  CONNECT: 'No connection',
  TLS: 'Not encrypted',
  TIMEOUT: 'Timed out',
  REFUSED: 'Address not allowed',
  MAIL: 'Refused',
  INVALID: 'Wrong setup',
};

/** The answer to an attempt in a few characters: its status, or why there is none. */
export function answer({ delivered, status, class: failure }: Attempt): string {
  if (status > 0) return String(status);
  if (delivered) return 'Accepted';
  return failure ? failureLabel[failure] : 'Failed';
}

/** The state of a delivery; its answer says more once there was an attempt. */
export function deliveryState({ state, log, nextAt }: Pick<Delivery, 'state' | 'log' | 'nextAt'>): {
  tone: Tone;
  label: string;
} {
  const last = log.at(-1);
  switch (state) {
    case 'HELD':
      return { tone: 'quiet', label: 'Held' };
    case 'BUNDLED':
      return { tone: 'quiet', label: 'In a digest' };
    case 'DELIVERED':
      return { tone: 'done', label: last ? answer(last) : 'Accepted' };
    case 'PENDING':
      if (!last || nextAt === null) return { tone: 'fly', label: 'Waiting' };
      return { tone: 'warn', label: answer(last) };
    case 'FAILED':
      return { tone: 'fail', label: last ? answer(last) : 'Given up' };
  }
}

/** Why the last attempt failed, and whether there are further ones. */
export function failureText({ state, log, attempts, type }: Delivery): string {
  const error = log.at(-1)?.error ?? '';
  if (type === 'test') return error;
  const how =
    state === 'FAILED'
      ? `given up after ${plural(attempts, 'attempt')}`
      : `attempt ${attempts} of ${maxAttempts}`;
  return error ? `${error} · ${how}` : how;
}

/** "3 of 10" while it is tried, else the number of attempts. */
export const attemptsText = ({ state, attempts, type }: Pick<Delivery, 'state' | 'attempts' | 'type'>) =>
  type !== 'test' && (state === 'PENDING' || state === 'FAILED')
    ? `${attempts} of ${maxAttempts}`
    : String(attempts);

/** Why a message is tried at its next time, or not again; empty when it was accepted. */
export function nextReason({ state, nextAt, attempts, log, type, response }: DeliveryDetails): string {
  switch (state) {
    case 'HELD':
      return 'It waits for the next digest or the end of the quiet hours.';
    case 'BUNDLED':
      return 'It was sent as a part of a digest.';
    case 'DELIVERED':
      return '';
    case 'FAILED':
      return type === 'test'
        ? 'A test is not tried again.'
        : `Given up after ${plural(attempts, 'attempt')}. Redeliver starts a new round.`;
    case 'PENDING': {
      const last = log.at(-1);
      if (!last || !nextAt || attempts === 0) return 'The first attempt is next.';
      const gap = (Date.parse(nextAt) - Date.parse(last.at)) / 1000;
      const asked = retryAfter(response);
      // The server waits a tenth longer at most, unless the receiver asked for more.
      const why = asked !== null && Math.abs(gap - asked) < 2 ? ', as Retry-After asks' : '';
      return `Attempt ${attempts + 1} of ${maxAttempts}, ${duration(gap)} after the last${why}.`;
    }
  }
}

/** The seconds of the header Retry-After of an answer; null without one. Its body is no header. */
export function retryAfter(response: string): number | null {
  const [head = ''] = response.split(/\r?\n\r?\n/, 1);
  const found = /^retry-after:[ \t]*(\d+)[ \t]*\r?$/im.exec(head)?.[1];
  return found === undefined ? null : Number(found);
}

/** A request with its JSON on several lines. What was cut off stays as it is. */
export function readable(request: string): string {
  const end = request.indexOf('\n\n');
  if (end < 0) return request;
  try {
    const body = JSON.stringify(JSON.parse(request.slice(end)), null, 2);
    return `${request.slice(0, end)}\n\n${body}`;
  } catch {
    return request;
  }
}

/** How long an attempt took: "184 ms", "15 s". */
export function tookText({ took }: Pick<Attempt, 'took'>): string {
  const seconds = isoSeconds(took);
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return `${Math.round(seconds * 10) / 10} s`;
}
