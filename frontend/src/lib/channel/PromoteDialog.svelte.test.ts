import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import { openProposals } from '$lib/proposal/open.svelte';
import PromoteDialog from './PromoteDialog.svelte';

const channel = {
  id: 'c',
  name: 'stable',
  arch: 'amd64',
  package: { id: 'old', version: '2.0.0' },
  promotionNeedsApproval: false,
};

let answer = outcome();
let warnings: string[] = [];
let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  answer = outcome();
  warnings = [];
  requests = fakeApi({
    PromotionImpact: () => ({
      promotionImpact: { sentence: '712 machines become eligible', projectedEnd: null, warnings },
    }),
    PromotePackage: () => answer,
    Propose: () => ({ outcome: { proposal: { id: 'p', summary: 'promote 2.1.0' }, userErrors: [] } }),
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function open(version: string) {
  const onclose = vi.fn();
  render(PromoteDialog, { applicationId: 'a', channel, chosen: { id: 'new', version }, onclose });
  return onclose;
}

async function promote() {
  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'fixes the leak' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Promote' }));
}

test('it states the impact and the change, and replaces only the package it showed', async () => {
  const onclose = open('2.1.0');
  expect(await screen.findByText('712 machines become eligible.')).toBeTruthy();
  expect(screen.getByText(/stable:/).textContent).toMatch(/2\.0\.0 → 2\.1\.0/);
  await promote();
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  expect(requests.at(-1)?.variables).toEqual({
    input: { channelId: 'c', packageId: 'new', expectedPackageId: 'old', reason: 'fixes the leak' },
  });
});

test('it warns about a version that is older than the current one', () => {
  open('1.5.0');
  expect(screen.getByText(/1\.5\.0 is older than/).textContent).toContain('not downgraded');
});

test('it shows the warnings of the server', async () => {
  warnings = ['the package has no oem-azure.gz'];
  open('2.1.0');
  expect(await screen.findByText('The package has no oem-azure.gz.')).toBeTruthy();
});

test('it sends nothing without a reason', async () => {
  open('2.1.0');
  await fireEvent.click(screen.getByRole('button', { name: 'Promote' }));
  expect(requests.some(({ name }) => name === 'PromotePackage')).toBe(false);
});

test('it stays open if another user has promoted first', async () => {
  answer = outcome('the channel has another package now', 'expectedPackageId');
  const onclose = open('2.1.0');
  await promote();
  expect((await screen.findByRole('alert')).textContent).toContain('The channel has another package now');
  expect(onclose).not.toHaveBeenCalled();
});

test('it proposes a promotion that another person must approve', async () => {
  const onclose = vi.fn();
  render(PromoteDialog, {
    applicationId: 'a',
    channel: { ...channel, promotionNeedsApproval: true },
    chosen: { id: 'new', version: '2.1.0' },
    onclose,
  });
  await fireEvent.click(screen.getByRole('button', { name: 'Propose' }));
  expect(screen.getByText(/Enter a reason/)).toBeTruthy();
  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'fixes the leak' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Propose' }));
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  const promotePackage = {
    channelId: 'c',
    packageId: 'new',
    expectedPackageId: 'old',
    reason: 'fixes the leak',
  };
  expect(requests.at(-1)).toEqual({ name: 'Propose', variables: { input: { promotePackage } } });
  expect(openProposals.made).toEqual({ id: 'p', summary: 'promote 2.1.0' });
});
