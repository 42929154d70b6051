import { expect, test } from 'vitest';
import {
  answer,
  asChoice,
  attemptsText,
  deliveryState,
  nextReason,
  readable,
  retryAfter,
  tookText,
  type DeliveryDetails,
} from './delivery';

type Attempt = DeliveryDetails['log'][number];

const attempt = (change: Partial<Attempt>): Attempt => ({
  at: '2026-11-28T03:00:00Z',
  delivered: false,
  class: 'STATUS',
  status: 503,
  error: 'the receiver answered 503',
  took: 'PT0.184S',
  ...change,
});

const delivery = (change: Partial<DeliveryDetails>): DeliveryDetails => ({
  id: 'd',
  type: 'rollout.halted',
  summary: 'Rollout halted',
  state: 'PENDING',
  attempts: 3,
  nextAt: '2026-11-28T03:30:00Z',
  createdAt: '2026-11-28T02:58:33Z',
  endedAt: null,
  digestId: null,
  log: [attempt({})],
  request: '',
  response: '',
  ...change,
});

test('an answer is its status, or why there is none', () => {
  const none = { status: 0, class: null };
  expect(
    [
      attempt({}),
      attempt({ delivered: true, class: null, status: 204 }),
      attempt({ delivered: true, ...none }),
      attempt({ ...none, class: 'TIMEOUT' }),
      attempt({ ...none, class: 'REFUSED' }),
    ].map(answer),
  ).toEqual(['503', '204', 'Accepted', 'Timed out', 'Address not allowed']);
  expect([tookText(attempt({})), tookText(attempt({ took: 'PT15.04S' }))]).toEqual(['184 ms', '15 s']);
});

test('the state of a delivery and its attempts', () => {
  const states = (['HELD', 'PENDING', 'DELIVERED', 'FAILED', 'BUNDLED'] as const).map((state) =>
    deliveryState(delivery({ state })),
  );
  expect(states).toEqual([
    { tone: 'quiet', label: 'Held' },
    { tone: 'warn', label: '503' },
    { tone: 'done', label: '503' },
    { tone: 'fail', label: '503' },
    { tone: 'quiet', label: 'In a digest' },
  ]);
  expect(deliveryState(delivery({ log: [] })).label).toBe('Waiting');
  expect(attemptsText(delivery({}))).toBe('3 of 10');
  expect(attemptsText(delivery({ state: 'FAILED', type: 'test', attempts: 1 }))).toBe('1');
});

test('the next attempt has a reason', () => {
  expect(nextReason(delivery({}))).toBe('Attempt 4 of 10, 30 min after the last.');
  const asked = 'HTTP/1.1 503 Service Unavailable\nRetry-After: 1800\n\nbusy';
  expect(nextReason(delivery({ response: asked }))).toBe(
    'Attempt 4 of 10, 30 min after the last, as Retry-After asks.',
  );
  expect(nextReason(delivery({ response: asked.replace('1800', '60') }))).not.toContain('Retry-After');
  expect(nextReason(delivery({ attempts: 0 }))).toBe('The first attempt is next.');
  expect(nextReason(delivery({ state: 'FAILED', attempts: 10, nextAt: null }))).toContain(
    'after 10 attempts',
  );
  expect(nextReason(delivery({ state: 'DELIVERED' }))).toBe('');
});

test('a body cannot pose as a header', () => {
  expect(retryAfter('HTTP/1.1 503 X\r\nretry-after: 5\r\n\r\n')).toBe(5);
  expect(retryAfter('HTTP/1.1 503 X\nDate: x\n\nRetry-After: 5')).toBeNull();
});

test('a request is shown with its JSON on several lines, and as it is when it was cut off', () => {
  expect(readable('POST / HTTP/1.1\nHost: a\n\n{"a":1}')).toBe('POST / HTTP/1.1\nHost: a\n\n{\n  "a": 1\n}');
  expect(readable('POST / HTTP/1.1\n\n{"a":')).toBe('POST / HTTP/1.1\n\n{"a":');
});

test('an unknown choice in the address shows all', () => {
  expect([asChoice('failed'), asChoice('toString'), asChoice(null)]).toEqual(['failed', 'all', 'all']);
});
