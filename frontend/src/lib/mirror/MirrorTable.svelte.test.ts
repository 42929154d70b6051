import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import type { Mirror, MirrorChannel } from './mirror';
import MirrorTable from './MirrorTable.svelte';

afterEach(cleanup);

const row: MirrorChannel = {
  id: 'r',
  track: 'stable',
  mode: 'IMPORT',
  hostFiles: false,
  extraFiles: ['*'],
  upstreamVersion: '2.1.0',
  withdrawn: false,
  problem: '',
  lastRunAt: '2026-12-01T03:04:00Z',
  nextRunAt: '2026-12-01T03:34:00Z',
  failingSince: null,
  failures: 0,
  lastError: '',
  channel: {
    id: 'c',
    name: 'stable',
    color: '',
    arch: 'amd64',
    promotedAt: null,
    promotedBy: '',
    promotionNeedsApproval: false,
    package: { id: 'p', version: '2.0.0' },
  },
};

function open(change: Partial<MirrorChannel>) {
  const calls = { onrun: vi.fn(), onruns: vi.fn(), onpromote: vi.fn(), onedit: vi.fn(), onremove: vi.fn() };
  const application = { id: 'a', name: 'Edge agent', permissions: [] };
  const mirror = { id: 'm', name: 'hq', enabled: true, application, channels: [{ ...row, ...change }] };
  render(MirrorTable, { mirror: mirror as unknown as Mirror, lastChange: () => null, ...calls });
  return calls;
}

test('an imported version can be promoted in its row', async () => {
  const { onpromote } = open({});
  await fireEvent.click(screen.getByRole('button', { name: 'Promote stable, amd64' }));
  expect(onpromote.mock.calls[0]?.[0]).toMatchObject({ upstreamVersion: '2.1.0' });
});

/** Turns the direction of the text that follows. */
const turned = String.fromCodePoint(0x202e);

test('a failing row opens by itself: why, what was not done, and Run now', async () => {
  const failing = {
    failingSince: '2026-12-01T03:04:00Z',
    failures: 2,
    lastError: `no route${turned} to host`,
  };
  const { onrun } = open(failing);
  // A character that turns the direction of the text is shown, not obeyed.
  expect(screen.getByText(/^No route/).textContent).not.toContain(turned);
  expect(screen.getByText(/the channel/).textContent).toMatch(/stays on\s+2\.0\.0/);
  expect(screen.queryByRole('button', { name: /Promote/ })).toBeNull();
  await fireEvent.click(screen.getByRole('button', { name: 'Run now' }));
  expect(onrun).toHaveBeenCalledOnce();
});

test('a row that is up to date has no reason and no action', () => {
  open({ upstreamVersion: '2.0.0' });
  expect(screen.getByText('Up to date')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Run now' })).toBeNull();
});
