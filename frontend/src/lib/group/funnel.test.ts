import { expect, test } from 'vitest';
import { funnelSteps, funnelWords, type Funnel } from './funnel';

const funnel: Funnel = {
  granted: 100,
  downloading: 95,
  downloaded: 90,
  installed: 80,
  succeeded: 70,
  failed: 9,
  timedOut: 2,
  rolledBack: 3,
  released: 4,
};

test('who came no further is on the way or lost', () =>
  expect(
    funnelSteps(funnel, [
      { state: 'GRANTED', machines: 5 },
      { state: 'DOWNLOADING', machines: 3 },
      { state: 'INSTALLED', machines: 7 },
    ]).map(({ word, n, loss }) => `${word} ${n}: ${loss}`),
  ).toEqual([
    'Granted 100: 5 there now',
    'Downloading 95: 3 there now · 2 came no further',
    'Downloaded 90: 10 came no further',
    'Installed 80: 7 there now · 3 came no further',
    'Complete 70: ',
  ]));

test('machines of an earlier rollout that are still on the way are not counted as losses', () =>
  expect(funnelSteps(funnel, [{ state: 'GRANTED', machines: 50 }])[0]?.loss).toBe('5 there now'));

test('the lost are named', () => {
  expect(funnelWords(funnel)).toBe(
    '9 failed (3 rolled back, 2 fell silent); 4 put off, interrupted or taken back.',
  );
  expect(funnelWords({ ...funnel, failed: 0, released: 0 })).toBe('No attempt was lost.');
});
