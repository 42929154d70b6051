import { cleanup, render, screen, within } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import FailureCard, { failureView, type FailureView } from './FailureCard.svelte';
import { failureKey } from './failures';

afterEach(cleanup);

type Shares = Record<string, number>;

const text = (element: Element) => element.textContent.replace('\u200b', '').replace(/\s+/g, ' ').trim();
const breakdown = (shares: Shares) =>
  Object.entries(shares).map(([value, attempts]) => ({ value, attempts }));

function show(by: FailureView, blocks: Shares, failed = 4) {
  render(FailureCard, {
    rollout: {
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

test('an unknown grouping is that by code', () => {
  expect(['address', 'from', 'oem', 'colour', null].map(failureView)).toEqual([
    'address',
    'from',
    'oem',
    'code',
    'code',
  ]);
});
