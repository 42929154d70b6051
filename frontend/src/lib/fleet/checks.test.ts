import { expect, test } from 'vitest';
import { checksSentence } from './checks';

test('says how many checks there were and how evenly they came', () => {
  expect(checksSentence([300, 280, 310, 12])).toBe(
    '902 update checks in the last hour, 280 to 310 in five minutes.',
  );
});

test('silence is said', () => {
  expect(checksSentence([0, 0, 0])).toBe('No update check in the last hour.');
});
