import { cleanup, render } from '@testing-library/svelte';
import type { ComponentProps } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import MachineStatus from './MachineStatus.svelte';

afterEach(cleanup);

type Props = ComponentProps<typeof MachineStatus>;

const machine: Props['machine'] = {
  version: '2.0.0',
  state: 'COMPLETE',
  countedAs: 'ON_TARGET',
  decision: 'the machine runs the target version',
  decidedAt: null,
  lastSeenAt: new Date().toISOString(),
  grant: null,
};
const explanation = {
  decision: { reason: 'UP_TO_DATE', sentence: machine.decision, until: null },
} as Props['explanation'];

function text(change: Partial<Props['machine']> = {}) {
  const { container } = render(MachineStatus, { machine: { ...machine, ...change }, explanation });
  return container.textContent.replace(/\s+/g, ' ').trim();
}

test('a machine on the target waits for a higher version', () =>
  expect(text()).toMatch(/No update until a higher version is promoted\.$/));

// A halted or blacklisted version.
test('a machine on a bad version may also be downgraded', () =>
  expect(text({ countedAs: 'BAD_VERSION' })).toMatch(
    /No update until a higher version is promoted, or a rollback downgrades it\.$/,
  ));
