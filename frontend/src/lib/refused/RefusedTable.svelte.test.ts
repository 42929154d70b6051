import { cleanup, fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import type { Refused } from './refused';
import RefusedTable from './RefusedTable.svelte';

afterEach(cleanup);

const request = (change: Partial<Refused>): Refused => ({
  id: 'one',
  reason: 'UNKNOWN_TRACK',
  app: '{E96281A6}',
  track: 'prod',
  version: '1.0.0',
  board: 'arm64-usr',
  arch: 'arm64',
  requests: 1234,
  firstSeenAt: '2026-11-23T14:02:05Z',
  lastSeenAt: '2026-11-23T15:02:05Z',
  address: '198.51.100.7',
  application: { id: 'app', name: 'Agent', permissions: [] },
  group: null,
  ...change,
});

function show(...requests: Refused[]) {
  const [onmake, onalias] = [vi.fn(), vi.fn()];
  render(RefusedTable, { requests, onmake, onalias });
  return { onmake, onalias, row: within(screen.getByRole('row', { name: /198\.51\.100\.7/ })) };
}

test('an unknown track can become a group or an alias', async () => {
  const unknown = request({});
  const { onmake, onalias, row } = show(unknown);
  expect(row.getByRole('link', { name: 'Agent' }).getAttribute('href')).toBe('/apps/app');
  expect(row.getByText('1,234')).toBeTruthy();
  await fireEvent.click(row.getByRole('button', { name: 'Make this group…' }));
  expect(onmake).toHaveBeenCalledWith(unknown);
  await fireEvent.click(row.getByRole('button', { name: 'Alias to…' }));
  expect(onalias).toHaveBeenCalledWith(unknown);
});

test('a track that a group has now links the group', () => {
  const { row } = show(request({ group: { id: 'g', name: 'Production' } }));
  expect(row.queryByRole('button')).toBeNull();
  expect(row.getByRole('link', { name: 'Production' }).getAttribute('href')).toBe('/apps/app/groups/g');
});

test('other requests show what they named and what to do', () => {
  const { row } = show(request({ reason: 'UNKNOWN_APPLICATION', application: null }));
  expect(row.queryByRole('button')).toBeNull();
  expect(row.getByText('{E96281A6}')).toBeTruthy();
  expect(row.getByText('Correct the appid on the machine.')).toBeTruthy();
});
