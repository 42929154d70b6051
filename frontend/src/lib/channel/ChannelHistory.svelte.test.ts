import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
import ChannelHistory from './ChannelHistory.svelte';

const channel = {
  id: 'c',
  name: 'stable',
  arch: 'amd64',
  package: { id: 'p20', version: '2.0.0' },
  promotionNeedsApproval: false,
};

/** A promotion of a version; its package is deleted when `id` is null. */
const promotion = (version: string, id: string | null, change: object = {}) => ({
  id: `${version} ${JSON.stringify(change)}`,
  version,
  rolledBack: false,
  reason: '',
  promotedBy: 'ana',
  promotedAt: '2026-10-24T12:00:00Z',
  endedAt: '2026-11-22T12:00:00Z',
  package: id && { id, version, arch: 'amd64', blacklistings: [] },
  ...change,
});

const blacklistings = [{ reason: 'it burns', channel: { id: 'c' } }];
const nodes = [
  promotion('2.0.0', 'p20', { endedAt: null, rolledBack: true, reason: 'it burns' }),
  promotion('2.1.0', 'p21', { package: { id: 'p21', version: '2.1.0', arch: 'amd64', blacklistings } }),
  promotion('2.0.0', 'p20'),
  promotion('1.9.0', 'p19'),
  promotion('1.8.0', null),
  promotion('', null),
];

let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  requests = fakeApi({
    ChannelHistory: () => ({ channel: { id: 'c', promotions: { nodes, totalCount: 12 } } }),
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const text = (element: Element) => element.textContent.replace(/\s+/g, ' ').trim();

test('it lists what the channel pointed to, and can point it back where nothing forbids it', async () => {
  const onback = vi.fn();
  render(ChannelHistory, { channel, applicationId: 'a', revision: 1, onback });
  const rows = (await screen.findAllByRole('listitem')).map(text);
  expect(rows).toHaveLength(6);
  expect(rows[0]).toMatch(/^2\.0\.0 Roll back .* until now, by ana “it burns”$/);
  expect(rows[1]).toMatch(/^2\.1\.0 .* until .*, by ana Blacklisted for this channel: “it burns”$/);
  expect(rows[2]).toMatch(/^2\.0\.0 .* Already points to this package$/);
  expect(rows[3]).toMatch(/^1\.9\.0 .* by ana Point back…$/);
  expect(rows[4]).toMatch(/^1\.8\.0 .* The package was deleted$/);
  expect(rows[5]).toMatch(/^no package .* No package$/);
  await fireEvent.click(screen.getByRole('button', { name: 'Point back to 1.9.0…' }));
  expect(onback).toHaveBeenCalledExactlyOnceWith({ id: 'p19', version: '1.9.0' });
  await fireEvent.click(screen.getByRole('button', { name: 'Show all 12' }));
  await vi.waitFor(() => expect(requests.at(-1)?.variables).toEqual({ channelId: 'c', first: 500 }));
});
