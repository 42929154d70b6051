import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
import type { GroupAction } from './actions';
import GroupControls from './GroupControls.svelte';
import type { GroupState } from './state';

const group = (state: GroupState, failed: number) => ({
  id: 'g',
  name: 'Production',
  track: 'production',
  aliases: [],
  description: '',
  arch: 'amd64',
  revision: 7,
  expression: null,
  priority: 0,
  requireApproval: false,
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
const props = (state: GroupState, asked: GroupAction | null = null, failed = 0) => ({
  group: group(state, failed),
  asked,
  onask: vi.fn(),
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

test('the dialog of an action is loaded when it is asked for', async () => {
  fakeApi({ ControlImpact: () => ({ controlImpact: { sentence: '40 machines in 1 group' } }) });
  render(GroupControls, props('ROLLING_OUT', 'pause'));
  expect(await screen.findByRole('dialog', { name: 'Pause Production?' })).toBeTruthy();
});
