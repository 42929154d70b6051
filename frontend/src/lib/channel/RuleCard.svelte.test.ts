import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import RuleCard from './RuleCard.svelte';

let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  requests = fakeApi({ DowngradeMachines: () => outcome() });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(version: string, recalled: boolean) {
  render(RuleCard, {
    kind: 'blacklisting',
    channel: { id: 'c', arch: 'amd64', package: { version: '2.0.0' }, promotionNeedsApproval: false },
    applicationId: 'a',
    list: [
      {
        id: 'r',
        recalled,
        reason: 'it burns',
        createdBy: 'ana',
        createdAt: '2026-11-22T12:00:00Z',
        package: { id: 'p', version },
      },
    ],
    without: [],
  });
}

const downgrades = 'Machines on it are downgraded.';

test.each([
  [
    'ordered',
    false,
    'Downgrade… 2.1.0',
    'Downgrade machines',
    'are offered 2.0.0',
    'MACHINES_ON_BLACKLISTED',
  ],
  ['ended', true, 'End downgrade… 2.1.0', 'End downgrade', 'stay on it', 'NEVER'],
])('a downgrade from a blacklisted package is %s', async (_, recalled, button, verb, note, downgrade) => {
  show('2.1.0', recalled);
  expect(screen.queryByText(downgrades) !== null).toBe(recalled);
  await fireEvent.click(screen.getByRole('button', { name: button }));
  expect(screen.getByRole('dialog').textContent).toContain(note);
  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'INC-7' } });
  await fireEvent.click(screen.getByRole('button', { name: verb }));
  await waitFor(() =>
    expect(requests.at(-1)?.variables).toEqual({
      channelId: 'c',
      packageId: 'p',
      downgrade,
      reason: 'INC-7',
    }),
  );
});

test('no downgrade is offered from a version that machines leave by themselves', () => {
  show('1.9.0', false);
  expect(screen.getAllByRole('button').map((button) => button.getAttribute('aria-label'))).toEqual([
    null,
    'Remove 1.9.0',
  ]);
});
