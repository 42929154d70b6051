import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import type { ControlAction } from './actions';
import ControlDialog from './ControlDialog.svelte';
import type { GroupState } from './state';

const props = (
  action: ControlAction,
  failed = 0,
  state: GroupState = 'ROLLING_OUT',
  requireApproval = false,
) => ({
  group: {
    id: 'g',
    name: 'Production',
    revision: 7,
    state,
    requireApproval,
    rollout: { currentWave: 2, attemptsSinceResume: { failed }, newcomers: null },
  },
  action,
  onclose: vi.fn(),
});

let answer = outcome();
let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  answer = outcome();
  requests = fakeApi({
    ControlImpact: () => ({ controlImpact: { sentence: '40 machines in 1 group; 12 wait' } }),
    Pause: () => answer,
    Resume: () => answer,
    Advance: () => answer,
    Propose: () => ({
      outcome: { proposal: { id: 'p', summary: 'open wave 3 of group Production now' }, userErrors: [] },
    }),
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('the pause dialog states the impact and works without a reason', async () => {
  const given = props('pause');
  render(ControlDialog, given);
  expect(await screen.findByText('40 machines in 1 group; 12 wait.')).toBeTruthy();
  await fireEvent.click(screen.getByRole('button', { name: 'Pause' }));
  await waitFor(() => expect(given.onclose).toHaveBeenCalledOnce());
  expect(requests.at(-1)).toEqual({ name: 'Pause', variables: { groupId: 'g', reason: '' } });
});

test('the resume dialog sends nothing without a reason', async () => {
  render(ControlDialog, props('resume'));
  const confirm = screen.getByRole('button', { name: 'Resume' }) as HTMLElement;
  await fireEvent.click(confirm);
  expect(screen.getByText(/Enter a reason/)).toBeTruthy();
  expect(requests.some(({ name }) => name === 'Resume')).toBe(false);

  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'mirror is back' } });
  await fireEvent.click(confirm);
  await waitFor(() =>
    expect(requests.at(-1)).toEqual({
      name: 'Resume',
      variables: { groupId: 'g', reason: 'mirror is back', revision: 7 },
    }),
  );
});

test.each([
  [0, ''],
  [1, ' The 1 failure so far no longer counts towards a halt.'],
  [3, ' The 3 failures so far no longer count towards a halt.'],
])('the resume dialog mentions failures only if there are any: %d', (failed, sentence) => {
  render(ControlDialog, props('resume', failed));
  const note = screen.getByText(/^Machines are granted updates again/);
  expect(note.textContent).toBe(`Machines are granted updates again, within the caps.${sentence}`);
});

test('a rejected action keeps the dialog open and shows the error', async () => {
  answer = outcome('the group is already paused');
  const given = props('pause');
  render(ControlDialog, given);
  await fireEvent.click(screen.getByRole('button', { name: 'Pause' }));
  expect((await screen.findByRole('alert')).textContent).toContain('The group is already paused');
  expect(given.onclose).not.toHaveBeenCalled();
});

const confirmWith = async (name: string, reason: string) => {
  await fireEvent.input(await screen.findByLabelText('Reason (required)'), { target: { value: reason } });
  await fireEvent.click(screen.getByRole('button', { name }));
};

test('a group that requires approvals proposes the next wave', async () => {
  const given = props('advance', 0, 'ROLLING_OUT', true);
  render(ControlDialog, given);
  expect(await screen.findByText(/Another person must approve this/)).toBeTruthy();
  await confirmWith('Propose', 'looks good');
  await waitFor(() => expect(given.onclose).toHaveBeenCalled());
  const advanceWave = { groupId: 'g', reason: 'looks good', expectedWave: 2 };
  expect(requests.at(-1)).toEqual({ name: 'Propose', variables: { input: { advanceWave } } });
  expect(requests.some(({ name }) => name === 'Advance')).toBe(false);
});

test('the end of a pause needs no approval, that of a halt does', async () => {
  const { rerender } = render(ControlDialog, props('resume', 0, 'PAUSED', true));
  expect(await screen.findByText(/^Machines are granted updates again/)).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Propose' })).toBeNull();
  await rerender(props('resume', 0, 'HALTED', true));
  expect(await screen.findByRole('button', { name: 'Propose' })).toBeTruthy();
});

test('stopping needs no approval', async () => {
  render(ControlDialog, props('halt', 0, 'ROLLING_OUT', true));
  expect(await screen.findByRole('button', { name: 'Halt' })).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Propose' })).toBeNull();
});

test('a change that the server refuses without an approval can be proposed as it is', async () => {
  answer = { outcome: { userErrors: [{ field: null, message: 'propose it', code: 'APPROVAL_REQUIRED' }] } };
  const given = props('advance');
  render(ControlDialog, given);
  await confirmWith('Open wave 3', 'looks good');
  const propose = await screen.findByRole<HTMLButtonElement>('button', { name: 'Propose' });
  await waitFor(() => expect(propose.disabled).toBe(false));
  expect(given.onclose).not.toHaveBeenCalled();
  await fireEvent.click(propose);
  await waitFor(() => expect(given.onclose).toHaveBeenCalled());
  expect(requests.map(({ name }) => name).slice(-2)).toEqual(['Advance', 'Propose']);
});
