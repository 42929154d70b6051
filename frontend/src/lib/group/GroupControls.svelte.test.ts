import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import type { GroupAction } from './actions';
import GroupControls from './GroupControls.svelte';
import type { GroupState } from './state';

const group = (state: GroupState, failed: number, requireApproval: boolean) => ({
  id: 'g',
  name: 'Production',
  track: 'production',
  aliases: [],
  description: '',
  arch: 'amd64',
  revision: 7,
  requireApproval,
  state,
  application: { id: 'a' },
  channel: { id: 'c', name: 'stable' },
  rollout: {
    version: '2.0.0',
    halt: null,
    currentWave: 2,
    attemptsSinceResume: { finished: 9, failed },
    newcomers: null,
    waves: [1, 2, 3].map((position) => ({ position })),
  },
});
const props = (state: GroupState, asked: GroupAction | null = null, failed = 0, requireApproval = false) => ({
  group: group(state, failed, requireApproval),
  asked,
  onask: vi.fn(),
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

test.each([
  ['ROLLING_OUT', ['More actions', 'Next wave', 'Halt', 'Pause']],
  ['PAUSED', ['More actions', 'Resume']],
  ['HALTED', ['More actions']], // HaltCard has its actions
  ['STALLED', ['More actions', 'Next wave', 'Halt', 'Pause']],
  ['UP_TO_DATE', ['More actions', 'Pause']],
  ['INCOMPLETE', ['More actions', 'Pause']],
  ['NO_PACKAGE', ['More actions']],
] as const)('a group in state %s offers %j', (state, labels) => {
  render(GroupControls, props(state));
  const buttons = screen
    .getAllByRole('button')
    .map((one) => one.getAttribute('aria-label') ?? one.textContent.trim());
  expect(buttons).toEqual(['Explain…', 'Edit', ...labels]);
});

test('the pause dialog states the impact and works without a reason', async () => {
  const { onask, ...rest } = props('ROLLING_OUT', 'pause');
  render(GroupControls, { onask, ...rest });
  expect(await screen.findByText('40 machines in 1 group; 12 wait.')).toBeTruthy();
  await fireEvent.click(screen.getAllByRole('button', { name: 'Pause' }).at(-1) as HTMLElement);
  await waitFor(() => expect(onask).toHaveBeenCalledWith(null));
  expect(requests.at(-1)).toEqual({ name: 'Pause', variables: { groupId: 'g', reason: '' } });
});

test('the resume dialog sends nothing without a reason', async () => {
  render(GroupControls, props('HALTED', 'resume'));
  const confirm = (await screen.findByRole('button', { name: 'Resume' })) as HTMLElement;
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
])('the resume dialog mentions failures only if there are any: %d', async (failed, sentence) => {
  render(GroupControls, props('PAUSED', 'resume', failed));
  const note = await screen.findByText(/^Machines are granted updates again/);
  expect(note.textContent).toBe(`Machines are granted updates again, within the caps.${sentence}`);
});

test('a rejected action keeps the dialog open and shows the error', async () => {
  answer = outcome('the group is already paused');
  const { onask, ...rest } = props('ROLLING_OUT', 'pause');
  render(GroupControls, { onask, ...rest });
  await fireEvent.click(screen.getAllByRole('button', { name: 'Pause' }).at(-1) as HTMLElement);
  expect((await screen.findByRole('alert')).textContent).toContain('The group is already paused');
  expect(onask).not.toHaveBeenCalled();
});

const confirmWith = async (name: string, reason: string) => {
  await fireEvent.input(await screen.findByLabelText('Reason (required)'), { target: { value: reason } });
  await fireEvent.click(screen.getAllByRole('button', { name }).at(-1) as HTMLElement);
};

test('a group that requires approvals proposes the next wave', async () => {
  const { onask, ...rest } = props('ROLLING_OUT', 'advance', 0, true);
  render(GroupControls, { onask, ...rest });
  expect(await screen.findByText(/Another person must approve this/)).toBeTruthy();
  await confirmWith('Propose', 'looks good');
  await waitFor(() => expect(onask).toHaveBeenCalledWith(null));
  const advanceWave = { groupId: 'g', reason: 'looks good', expectedWave: 2 };
  expect(requests.at(-1)).toEqual({ name: 'Propose', variables: { input: { advanceWave } } });
  expect(requests.some(({ name }) => name === 'Advance')).toBe(false);
});

test('the end of a pause needs no approval, that of a halt does', async () => {
  const { rerender } = render(GroupControls, props('PAUSED', 'resume', 0, true));
  expect(await screen.findByText(/^Machines are granted updates again/)).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Propose' })).toBeNull();
  await rerender(props('HALTED', 'resume', 0, true));
  expect(await screen.findByRole('button', { name: 'Propose' })).toBeTruthy();
});

test('a change that the server refuses without an approval can be proposed as it is', async () => {
  answer = { outcome: { userErrors: [{ field: null, message: 'propose it', code: 'APPROVAL_REQUIRED' }] } };
  const { onask, ...rest } = props('ROLLING_OUT', 'advance');
  render(GroupControls, { onask, ...rest });
  await confirmWith('Open wave 3', 'looks good');
  const propose = await screen.findByRole<HTMLButtonElement>('button', { name: 'Propose' });
  await waitFor(() => expect(propose.disabled).toBe(false));
  expect(onask).not.toHaveBeenCalled();
  await fireEvent.click(propose);
  await waitFor(() => expect(onask).toHaveBeenCalledWith(null));
  expect(requests.map(({ name }) => name).slice(-2)).toEqual(['Advance', 'Propose']);
});
