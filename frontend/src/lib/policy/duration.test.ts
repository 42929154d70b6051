import { expect, test } from 'vitest';
import { isoSeconds } from '$lib/ui/format';
import { durationIso, durationText } from './duration';

test.each([
  ['PT15M', '15 min'],
  ['PT1H30M', '1 h 30 min'],
  ['PT90M', '1 h 30 min'],
  ['P7D', '7 d'],
  ['P1DT2H3M4S', '1 d 2 h 3 min 4 s'],
  ['PT0.5S', '0.5 s'],
  ['PT0S', '0 s'],
])('%s is formatted as %s', (iso, text) => expect(durationText(iso)).toBe(text));

test.each([
  ['15 min', 'PT15M'],
  ['15min', 'PT15M'],
  ['  1 H 30 Minutes ', 'PT1H30M'],
  ['1h30m', 'PT1H30M'],
  ['1 hour, 30 minutes', 'PT1H30M'],
  ['90 s', 'PT1M30S'],
  ['1.5 h', 'PT1H30M'],
  ['500 ms', 'PT0.5S'],
  ['24 h', 'P1D'],
  ['1 week', 'P7D'],
  ['0 s', 'PT0S'],
])('%s is parsed as %s', (text, iso) => expect(durationIso(text)).toBe(iso));

test.each(['', '15', 'min', '15 fortnights', '-1 h', '1 h soon', 'PT15M', '1..5 h'])(
  '%j is rejected',
  (text) => expect(durationIso(text)).toBeNull(),
);

test('durations are formatted and parsed without loss', () => {
  for (const seconds of [0, 0.001, 1, 59.999, 60, 3599, 3600, 86399, 86400, 604800, 1234567]) {
    const iso = durationIso(`${seconds} s`) ?? '';
    expect(isoSeconds(iso), `${seconds} s`).toBeCloseTo(seconds, 6);
    expect(durationIso(durationText(iso))).toBe(iso);
  }
});
