import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import { initialPolicy } from './fields';
import type { Policy } from './form';
import PolicySaved from './PolicySaved.svelte';
import PolicyEditor from './PolicyEditor.svelte';

const policy: Policy = {
  ...initialPolicy,
  maxUpdatesPerPeriod: 10,
  maxConcurrentUpdates: 5,
  periodInterval: 'PT15M',
};

/** When the rollout ends at the policy in force, and at the one in the form. */
const rollout = { projectedEnd: '2030-12-03T10:00:00Z' };
let end: string | null;

let reachGrows = false;
let answer = outcome();
let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  reachGrows = false;
  end = '2030-12-14T10:00:00Z';
  answer = outcome();
  requests = fakeApi({
    PreviewPolicy: () => ({
      policyPreview: {
        changes: [],
        loosens: reachGrows,
        userErrors: [],
        policy: { timezone: 'UTC' },
        sentence: 'at most 10 machines per 15 minutes',
        warnings: [],
        windows: [],
        impact: { sentence: '12 machines in 1 group', projectedEnd: end },
      },
    }),
    SimulatePolicy: () => ({
      simulateRollout: {
        sentence: 'nothing to simulate',
        scale: 1,
        checkInterval: 'PT45M',
        updateDuration: 'PT10M',
        times: [],
        onTarget: [],
        inFlight: [],
        waiting: [],
        failed: [],
        notUpdated: [],
      },
    }),
    UpdatePolicy: () => answer,
    Propose: () => ({ outcome: { proposal: { id: 'p', summary: 'widen it' }, userErrors: [] } }),
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function edit(requireApproval = false) {
  const onsaved = vi.fn();
  const props = {
    group: { id: 'g', revision: 4, requireApproval, policy, rollout },
    onsaved,
    oncancel: vi.fn(),
  };
  const { rerender } = render(PolicyEditor, props);
  await screen.findByText('at most 10 machines per 15 minutes');
  await fireEvent.input(screen.getByLabelText('Machines per period'), { target: { value: '20' } });
  // The preview of the edit, after the debounce.
  await waitFor(() =>
    expect(requests.filter(({ name }) => name === 'PreviewPolicy').at(-1)?.variables).toMatchObject({
      input: { policy: { maxUpdatesPerPeriod: 20 } },
    }),
  );
  await waitFor(() => expect(document.querySelector('[aria-busy="true"]')).toBeNull());
  return { onsaved, rerender, props };
}

const save = () => fireEvent.click(screen.getByRole('button', { name: 'Save policy' }));
const saved = () => requests.filter(({ name }) => name === 'UpdatePolicy');

test('saving sends only the edited fields and the revision they started from', async () => {
  const { onsaved } = await edit();
  await save();
  await waitFor(() => expect(onsaved).toHaveBeenCalledOnce());
  expect(saved()[0]?.variables).toEqual({
    input: { groupId: 'g', policy: { maxUpdatesPerPeriod: 20 }, expectedRevision: 4, reason: '' },
  });
});

test('a change that lets more machines update needs a reason', async () => {
  reachGrows = true;
  const { onsaved } = await edit();
  await save();
  expect(await screen.findByText(/Enter a reason/)).toBeTruthy();
  expect(saved()).toEqual([]);
  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'ready' } });
  await save();
  await waitFor(() => expect(onsaved).toHaveBeenCalledOnce());
});

test('a wider policy of a group that requires approvals is proposed', async () => {
  reachGrows = true;
  const { onsaved } = await edit(true);
  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'ready' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Propose' }));
  await waitFor(() => expect(onsaved).toHaveBeenCalledOnce());
  const updatePolicy = {
    groupId: 'g',
    policy: { maxUpdatesPerPeriod: 20 },
    expectedRevision: 4,
    reason: 'ready',
  };
  expect(requests.at(-1)).toEqual({ name: 'Propose', variables: { input: { updatePolicy } } });
  expect(saved()).toEqual([]);
});

test('a value that cannot be parsed is marked and not sent', async () => {
  await edit();
  await fireEvent.input(screen.getByLabelText('Period'), { target: { value: 'soon' } });
  expect(screen.getByLabelText('Period').getAttribute('aria-invalid')).toBe('true');
  await save();
  expect(saved()).toEqual([]);
});

test('changes of another user are shown and taken over without losing edits', async () => {
  const { rerender, props } = await edit();
  await rerender({
    ...props,
    group: { id: 'g', revision: 5, requireApproval: false, rollout, policy: { ...policy, maxAttempts: 7 } },
  });
  expect(screen.getByRole('alert').textContent).toContain('Attempts per machine');
  await fireEvent.click(screen.getByRole('button', { name: 'Update form' }));
  expect((screen.getByLabelText('Attempts per machine') as HTMLInputElement).value).toBe('7');
  expect((screen.getByLabelText('Machines per period') as HTMLInputElement).value).toBe('20');
  await save();
  await waitFor(() =>
    expect(saved()[0]?.variables).toMatchObject({
      input: { policy: { maxUpdatesPerPeriod: 20 }, expectedRevision: 5 },
    }),
  );
});

test('the new end of the rollout is shown before saving, and after it on the page of the group', async () => {
  const { onsaved } = await edit();
  const text = /At this policy the rollout ends about .*14.* \(was .*3.*\)\./;
  expect(screen.getByLabelText('Policy preview').textContent).toMatch(text);
  await save();
  await waitFor(() => expect(onsaved).toHaveBeenCalledOnce());
  cleanup();
  const { unmount } = render(PolicySaved, { groupId: 'g' });
  expect(screen.getByRole('status').textContent).toMatch(text);
  unmount();
  render(PolicySaved, { groupId: 'g' });
  expect(screen.queryByRole('status')).toBeNull();
});

test('a policy at which the rollout no longer ends says so', async () => {
  end = null;
  await edit();
  expect(screen.getByLabelText('Policy preview').textContent).toMatch(
    /no end of the rollout can be computed \(was .*3.*\)/,
  );
});
