import { expect, test } from 'vitest';
import { checksSentence } from './checks';

test('the sentence contains the total and the range per five minutes', () => {
  expect(checksSentence([300, 280, 310, 12])).toBe(
    '902 update checks in the last hour, 280 to 310 in five minutes.',
  );
});

test('an hour without checks has its own sentence', () => {
  expect(checksSentence([0, 0, 0])).toBe('No update checks in the last hour.');
});
