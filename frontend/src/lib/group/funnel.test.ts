import { expect, test } from 'vitest';
import { funnelSteps, funnelSummary, type Funnel } from './funnel';

const funnel: Funnel = {
  granted: 100,
  downloading: 95,
  downloaded: 90,
  installed: 80,
  succeeded: 70,
  failed: 9,
  timedOut: 2,
  rolledBack: 3,
  notRunning: 0,
  lost: 0,
  released: 4,
};

test('machines that stop at a step are in progress or lost', () =>
  expect(
    funnelSteps(funnel, [
      { state: 'GRANTED', machines: 5 },
      { state: 'DOWNLOADING', machines: 3 },
      { state: 'INSTALLED', machines: 7 },
    ]).map(({ label, n, loss }) => `${label} ${n}: ${loss}`),
  ).toEqual([
    'Granted 100: 5 in progress',
    'Downloading 95: 3 in progress · 2 lost',
    'Downloaded 90: 10 lost',
    'Installed 80: 7 in progress · 3 lost',
    'Complete 70: ',
  ]));

test('machines of a previous rollout in progress do not count as lost', () =>
  expect(funnelSteps(funnel, [{ state: 'GRANTED', machines: 50 }])[0]?.loss).toBe('5 in progress'));

test('the summary counts lost attempts', () => {
  expect(funnelSummary(funnel)).toBe(
    '9 failed (3 rolled back, 2 timed out); 4 deferred, interrupted or withdrawn.',
  );
  expect(funnelSummary({ ...funnel, failed: 0, released: 0 })).toBe('No lost attempts.');
});
