import { expect, test } from 'vitest';
import { lastMail, receiversText } from './settings';

const row = { kind: 'MAIL' as const, sentAt: null, failingSince: null, lastError: '' };

test('the last answer of the mail server is the latest of all notifiers of mail', () => {
  expect(lastMail(null, [])).toBeNull();
  expect(lastMail(null, [row, { ...row, kind: 'SLACK', sentAt: '2026-03-02T10:00:00Z' }])).toBeNull();
  const failing = { ...row, failingSince: '2026-03-02T09:00:00Z', lastError: '535 wrong password' };
  expect(lastMail(null, [{ ...row, sentAt: '2026-03-02T08:00:00Z' }, failing])).toEqual({
    failed: true,
    at: '2026-03-02T09:00:00Z',
    error: '535 wrong password',
  });
  expect(lastMail(null, [failing, { ...row, sentAt: '2026-03-02T10:00:00Z' }])).toEqual({
    failed: false,
    at: '2026-03-02T10:00:00Z',
    error: '',
  });
  const test = { at: '2026-03-02T11:00:00Z', error: 'no connection' };
  expect(lastMail(test, [failing])).toEqual({ failed: true, ...test });
});

test('where webhooks may be sent', () => {
  expect(receiversText([])).toBe('They are sent nowhere.');
  expect(receiversText(['public'])).toBe('To public addresses only, not into the private network.');
  expect(receiversText(['10.0.0.0/8'])).toBe('To 10.0.0.0/8.');
  expect(receiversText(['public', '10.0.0.0/8', '192.0.2.1/32'])).toBe(
    'To public addresses, 10.0.0.0/8 and 192.0.2.1/32.',
  );
});
