import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import HoldReasons from './HoldReasons.svelte';

afterEach(cleanup);

const group = {
  pause: null,
  policy: {
    maxConcurrentUpdates: 50,
    maxUpdatesPerPeriod: 20,
    periodInterval: 'PT15M',
    timezone: 'Europe/Lisbon',
    waves: [{ share: 0.25 }, { share: 1 }],
  },
  numbers: {
    inFlight: 48,
    grantedInPeriod: 20,
    heldByReason: [
      { reason: 'CONCURRENCY_LIMIT' as const, machines: 1902 },
      { reason: 'PERIOD_LIMIT' as const, machines: 300 },
      { reason: 'WAVE_NOT_REACHED' as const, machines: 640 },
      { reason: 'OUTSIDE_WINDOW' as const, machines: 201 },
    ],
  },
  rollout: { currentWave: 1, safeModeMachineId: null },
};

test('each reason shows its input and links to its machines', () => {
  render(HoldReasons, { group, reasonPath: (reason: string) => `/machines?reason=${reason}` });
  const rows = screen.getAllByRole('link').map((link) => link.textContent.replace(/\s+/g, ' ').trim());
  expect(rows).toEqual([
    expect.stringMatching(/In-flight cap.*48 of 50 in flight.*1,902/),
    expect.stringMatching(/Period cap.*20 of 20 in 15 min.*300/),
    expect.stringMatching(/Wave not reached.*not in the first 25 %.*640/),
    expect.stringMatching(/Outside window.*Europe\/Lisbon.*201/),
  ]);
  expect(screen.getAllByRole('link')[0]?.getAttribute('href')).toBe('/machines?reason=CONCURRENCY_LIMIT');
});

test('without held machines it says so', () => {
  render(HoldReasons, {
    group: { ...group, numbers: { ...group.numbers, heldByReason: [] } },
    reasonPath: String,
  });
  expect(screen.getByText('No machines are held.')).toBeTruthy();
});

test('a wave without a share names no share', () => {
  const policy = { ...group.policy, waves: [{ share: 0 }, { share: 1 }] };
  render(HoldReasons, { group: { ...group, policy }, reasonPath: String });
  expect(screen.getByText('not listed or selected')).toBeTruthy();
});
