import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import type { InstanceRow } from './instances';
import MachineCells from './MachineCells.svelte';

afterEach(cleanup);

const machine: InstanceRow = {
  id: 'i',
  machineId: '4a0c55e1b2c391d2',
  alias: 'web-0412',
  address: '10.4.18.22',
  oem: 'ami',
  version: '1.0.0',
  state: 'ON_HOLD',
  countedAs: 'WAITING',
  reason: 'CONCURRENCY_LIMIT',
  override: null,
  decision: 'the in-flight cap is reached',
  decisionUntil: null,
  lastSeenAt: new Date().toISOString(),
  grant: null,
  application: { id: 'a', name: 'Edge agent' },
  group: { id: 'g', name: 'Production' },
};

function cells(change: Partial<InstanceRow>, gone = false, applications = false) {
  render(MachineCells, {
    machine: { ...machine, ...change },
    columns: ['machine', 'state', 'version', 'group', 'why'],
    card: false,
    gone,
    tabindex: 0,
    applications,
  });
  return screen.getAllByRole('cell').map((cell) => cell.textContent.replace(/\s+/g, ' ').trim());
}

test('a held machine shows state and reason in separate columns', () => {
  const [id, state, version, group, why] = cells({});
  expect(id).toContain('4a0c…91d2');
  expect(id).toContain('web-0412');
  expect([state, version, group, why]).toEqual(['On hold', '1.0.0', 'Production', 'In-flight cap']);
  expect(screen.getByTitle('4a0c55e1b2c391d2').getAttribute('href')).toBe('/apps/a/machines/i');
});

test('a machine with a grant shows the time left of its lease', () => {
  const leaseUntil = new Date(Date.now() + 51.5 * 60_000).toISOString();
  const row = cells({
    state: 'DOWNLOADING',
    countedAs: 'IN_FLIGHT',
    grant: { version: '2.0.0', leaseExpiresAt: leaseUntil },
  });
  expect(row.at(-1)).toBe('51 min');
});

test('a machine that left the list is marked', () => expect(cells({}, true)[1]).toBe('Left the list'));

test('a list of several applications shows the application', () =>
  expect(cells({}, false, true)[3]).toBe('Production, Edge agent'));
