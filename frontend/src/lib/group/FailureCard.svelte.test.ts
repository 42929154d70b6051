import { cleanup, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
import FailureCard, { failureView, type FailureView } from './FailureCard.svelte';
import { failureKey } from './failures';

const slice = (name: string, value: string, attempts: number, standsOut = false) => ({
  name,
  value,
  tag: value === '',
  attempts,
  standsOut,
});
let slices: ReturnType<typeof slice>[] = [];
let requests: ReturnType<typeof fakeApi> = [];

beforeEach(() => {
  slices = [];
  requests = fakeApi({
    FailureSlices: () => ({ rollout: { failuresByAttribute: { attempts: 4, slices } } }),
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

type Shares = Record<string, number>;

const text = (element: Element) => element.textContent.replace('\u200b', '').replace(/\s+/g, ' ').trim();
const breakdown = (shares: Shares) =>
  Object.entries(shares).map(([value, attempts]) => ({ value, attempts }));

function show(by: FailureView, blocks: Shares, failed = 4) {
  render(FailureCard, {
    rollout: {
      id: 'r',
      attempts: { finished: 10, failed },
      failures: [{ outcome: 'FAILED', code: 9, description: 'download failed', attempts: failed }],
      failuresByOem: breakdown({ ami: failed }),
      failuresByVersion: breakdown({ '1.0.0': failed }),
      failuresByAddressBlock: breakdown(blocks),
    },
    by,
    byPath: (view) => `/by/${view}`,
    listPath: (filter) => `/list/${failureKey(filter)}`,
  });
}

test('failures by address block link to their attempts', () => {
  show('address', { '203.0.113.0/24': 2, '2001:db8:1::/48': 1, '': 1 });
  const tabs = within(screen.getByRole('list', { name: 'Failures by' }));
  expect(tabs.getByRole('link', { name: 'Address' }).getAttribute('aria-current')).toBe('true');
  const links = screen
    .getAllByRole('link')
    .filter((link) => link.getAttribute('href')?.startsWith('/list/a'));
  expect(links.map((link) => [text(link), link.getAttribute('href')])).toEqual([
    ['203.0.113.0/24 2', '/list/address.203.0.113.0/24'],
    ['2001:db8:1::/48 1', '/list/address.2001:db8:1::/48'],
    ['unknown 1', '/list/address.'],
    ['4 failed', '/list/all'],
  ]);
});

test.each<[string, Shares, FailureView, string]>([
  ['most in one block', { '203.0.113.0/24': 3, '': 1 }, 'code', '3 of 4 from 203.0.113.0/24.'],
  ['the only block', { '203.0.113.0/24': 4 }, 'code', ''],
  ['the tab shows it', { '203.0.113.0/24': 3, '': 1 }, 'address', ''],
  ['too few', { '203.0.113.0/24': 2, '192.0.2.0/24': 2 }, 'code', ''],
  ['unknown', { '': 4 }, 'code', ''],
])('one block is named as a possible cause: %s', (_, blocks, by, hint) => {
  show(by, blocks);
  expect(text(screen.getByText(/finished attempts/))).toBe(
    `4 failed of 10 finished attempts, 40 %. ${hint}`.trim(),
  );
});

test('failures by attribute link to their attempts', async () => {
  slices = [slice('rack', '3\u202e', 4), slice('canary', '', 3, true), slice('version', '1.0.0', 2)];
  show('attribute', {}, 5);
  expect(screen.getByText('Loading…')).toBeDefined();
  await screen.findByRole('link', { name: /tag canary/ });
  const links = screen.getAllByRole('link').filter((link) => link.getAttribute('href')?.startsWith('/list/'));
  expect(links.map((link) => [text(link), link.getAttribute('href')])).toEqual([
    ['rack=3⟨U+202E⟩ 4', '/list/attribute.rack=3\u202e'],
    ['tag canary 3', '/list/tag.canary'],
    ['version 1.0.0 2', '/list/attribute.version=1.0.0'],
    ['5 failed', '/list/all'],
  ]);
  expect(text(screen.getByText(/finished attempts/))).toContain(
    'Of these the newest 4 are shown by attribute.',
  );
  expect(requests.map(({ variables }) => variables)).toEqual([{ rolloutId: 'r' }]);
});

test('an attribute is named as a possible cause, unless another breakdown shows it', async () => {
  slices = [slice('oem', 'ami', 3, true), slice('version', '1', 3, true), slice('rack', '3', 3, true)];
  show('code', { '203.0.113.0/24': 3, '': 1 });
  await screen.findByRole('link', { name: 'rack=3' });
  expect(text(screen.getByText(/finished attempts/))).toContain(
    '3 of 4 from 203.0.113.0/24. 3 of 4 with rack=3.',
  );
});

test('few failures are not read by attribute', async () => {
  vi.useFakeTimers();
  show('code', {}, 2);
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  expect(requests).toEqual([]);
});

test('an unknown grouping is that by code', () => {
  expect(['attribute', 'address', 'from', 'oem', 'colour', null].map(failureView)).toEqual([
    'attribute',
    'address',
    'from',
    'oem',
    'code',
    'code',
  ]);
});
