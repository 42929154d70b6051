import { expect, test } from 'vitest';
import { spanText } from './zone';

test('periods are formatted in the zone', () => {
  const at = (iso: string) => new Date(iso);
  expect(spanText(at('2026-11-28T21:00:00Z'), at('2026-11-29T03:00:00Z'), 'Europe/Berlin')).toBe(
    'Sat 28 Nov 22:00 – Sun 04:00',
  );
  expect(spanText(at('2026-11-27T08:00:00Z'), at('2026-11-27T16:00:00Z'), 'Europe/Berlin')).toBe(
    'Fri 27 Nov 09:00 – 17:00',
  );
  expect(spanText(at('2026-11-27T08:00:00Z'), at('2026-12-24T16:00:00Z'), 'UTC')).toBe(
    'Fri 27 Nov 08:00 – Thu 24 Dec 16:00',
  );
  expect(spanText(at('2026-11-27T08:00:00Z'), null, 'UTC')).toBe('from Fri 27 Nov 08:00');
});
