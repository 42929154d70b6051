import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import ChartTable from './chart-table.svelte';
import type { ChartMark } from './series';

afterEach(cleanup);

const minute = (n: number) => new Date(Date.UTC(2026, 10, 23, 4, n)).toISOString();
const rows = () =>
  screen
    .getAllByRole('row')
    .slice(1)
    .map((row) => [...row.querySelectorAll('td')].slice(1).map((cell) => cell.textContent));

function show(times: string[], values: (number | null)[], marks: ChartMark[]) {
  render(ChartTable, {
    label: 'Machines by state',
    times,
    series: [{ label: 'on target', values, tone: 'done', style: 'area' }],
    marks,
    height: 200,
  });
}

test('values are listed newest first, with gaps and events', () => {
  show([minute(0), minute(5), minute(10)], [1, null, 7130], [{ id: 'a', at: minute(6), label: 'paused' }]);
  expect(screen.getAllByRole('columnheader').map((head) => head.textContent)).toEqual([
    'Time',
    'on target',
    'Event',
  ]);
  expect(rows()).toEqual([
    ['7,130', ''],
    ['—', 'paused'],
    ['1', ''],
  ]);
});

test('a long series is sampled, but keeps the last value and every event', () => {
  const times = Array.from({ length: 1000 }, (_, i) => minute(i));
  show(
    times,
    times.map((_, i) => i),
    [{ id: 'a', at: minute(3), label: 'started' }],
  );
  const shown = rows();
  expect(shown.length).toBeLessThan(210);
  expect(shown[0]?.[0]).toBe('999');
  expect(shown.some(([value, event]) => value === '3' && event === 'started')).toBe(true);
});
