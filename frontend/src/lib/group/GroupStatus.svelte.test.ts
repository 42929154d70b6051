import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import type { GroupState } from './state';
import GroupStatus from './GroupStatus.svelte';
import { ServerClock } from './server-clock.svelte';

const some = {
  active: 40,
  onTarget: 27,
  aboveTarget: 0,
  badVersion: 0,
  waiting: 10,
  inFlight: 2,
  failed: 1,
  quarantined: 0,
  overridden: 0,
};
let numbers = some;

afterEach(() => {
  cleanup();
  numbers = some;
});
const gate = { satisfied: true, soakEndsAt: null, needsApproval: true };

function show(
  state: GroupState,
  currentHold: {
    reason: 'OUTSIDE_WINDOW' | 'WAITING_FOR_APPROVAL';
    sentence: string;
    until: string | null;
  } | null,
  approval = false,
) {
  const onadvance = vi.fn();
  const waves = [1, 2].map((position) => ({ position, gate: approval && position === 1 ? gate : null }));
  render(GroupStatus, {
    group: {
      state,
      currentHold,
      numbers,
      rollout: { version: '2.0.0', currentWave: 1, safeModeMachineId: null, safeModePassed: true, waves },
    },
    server: new ServerClock(),
    searchPath: String,
    onadvance,
  });
  return onadvance;
}

const text = () => document.body.textContent?.replace(/\s+/g, ' ') ?? '';

test('a hold shows its reason and a countdown', () => {
  const until = new Date(Date.now() + 3 * 3_600_000 - 1000).toISOString();
  show('ROLLING_OUT', { reason: 'OUTSIDE_WINDOW', sentence: 'the window is closed', until });
  expect(text()).toContain('Waiting: the window is closed');
  expect(text()).toContain('2 h 59 min');
  expect(screen.queryByRole('button')).toBeNull();
});

test('a wave that needs approval offers to open it', async () => {
  const onadvance = show('ROLLING_OUT', null, true);
  expect(text()).toContain('wave 2 needs approval');
  await fireEvent.click(screen.getByRole('button', { name: 'Open wave 2' }));
  expect(onadvance).toHaveBeenCalledOnce();
});

test('a paused group waits for nothing', () => {
  show('PAUSED', { reason: 'OUTSIDE_WINDOW', sentence: 'the window is closed', until: null }, true);
  expect(text().trim()).toBe('');
});

test('a finished rollout names the machines that were left out', () => {
  show('INCOMPLETE', null);
  expect(text()).toContain('All other machines run 2.0.0, but 1 machine failed or is held.');
});

test('done says which machines run other versions', () => {
  numbers = { ...some, waiting: 0, inFlight: 0, failed: 0, active: 40, onTarget: 40 };
  show('UP_TO_DATE', null);
  expect(text()).toContain('Done: every active machine runs 2.0.0.');
  cleanup();
  numbers = { ...numbers, onTarget: 32, aboveTarget: 6, badVersion: 2 };
  show('UP_TO_DATE', null);
  expect(text()).toContain('Done: 32 machines on 2.0.0, 6 above it, 2 on a blacklisted version.');
});
