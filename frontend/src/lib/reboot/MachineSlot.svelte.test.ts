import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import MachineSlot from './MachineSlot.svelte';

afterEach(cleanup);

const slot = {
  clientId: 'web-1',
  askedAt: '2026-03-02T10:00:00Z',
  takenAt: null,
  expectedAt: null,
  instance: null,
  group: { id: 'g' },
};

test('a machine that waits says who holds the slots, and has nothing to release', () => {
  render(MachineSlot, {
    machine: {
      rebootSlot: {
        ...slot,
        state: 'WAITING',
        sentence: 'waits for its reboot slot: 1 of 1 reboot slot is held: web-2',
      },
    },
  });
  expect(screen.getByText(/^Waits for its reboot slot: 1 of 1 reboot slot is held: web-2\.$/)).toBeTruthy();
  expect(screen.queryByRole('button')).toBeNull();
});

test('an overdue slot can be released', () => {
  render(MachineSlot, {
    machine: {
      rebootSlot: {
        ...slot,
        state: 'OVERDUE',
        takenAt: slot.askedAt,
        sentence: 'holds a reboot slot, which is overdue',
      },
    },
  });
  expect(screen.getByRole('button', { name: 'Release slot…' })).toBeTruthy();
});

test('a machine without a slot shows nothing', () => {
  const { container } = render(MachineSlot, { machine: { rebootSlot: null } });
  expect(container.textContent).toBe('');
});
