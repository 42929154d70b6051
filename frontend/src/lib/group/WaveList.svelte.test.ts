import { cleanup, render, screen, within } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import { ServerClock } from './server-clock.svelte';
import WaveList from './WaveList.svelte';

afterEach(cleanup);

const wave = (position: number, state: 'DONE' | 'CURRENT' | 'PENDING', share: number) => ({
  position,
  state,
  share,
  canaries: [] as string[],
  expression: '',
  canaryWarnings: position === 2 ? ['1 canary is unknown: no machine with this id checked in: db-7'] : [],
  soak: 'PT2H',
  approval: position === 2,
  attempts: { granted: state === 'PENDING' ? 0 : 10, succeeded: 9, failed: state === 'DONE' ? 1 : 0 },
  gate:
    state === 'CURRENT'
      ? {
          satisfied: false,
          finished: 4,
          minFinished: 5,
          successShare: 1,
          minSuccessShare: 0.95,
          soakEndsAt: null,
          needsApproval: true,
        }
      : null,
});

function show(
  waves = [wave(1, 'DONE', 0.1), wave(2, 'CURRENT', 0.5), wave(3, 'PENDING', 1)],
  newcomers: { attempts: { granted: number; succeeded: number; failed: number } } | null = null,
) {
  render(WaveList, {
    rollout: { state: 'ACTIVE', newcomers, waves },
    server: new ServerClock(),
    active: 100,
    onTarget: 30,
  });
  return within(screen.getByRole('list', { name: 'Waves' }));
}

test('each wave shows its state, its share and its attempts', () => {
  show();
  expect(screen.getByText('1 · 10 %').textContent).toContain('done');
  expect(screen.getByText('10 granted · 9 ok · 1 failed')).toBeTruthy();
  expect(screen.getByText('after wave 2 · 2 h of soak · approval')).toBeTruthy();
});

test('a wave by expression shows it, and no progress of a size that is not known', () => {
  show([{ ...wave(1, 'CURRENT', 0), expression: "'canary' in tags" }, wave(2, 'PENDING', 1)]);
  expect(screen.getByText('1 · by expression')).toBeTruthy();
  expect(screen.getByText("'canary' in tags").tagName).toBe('CODE');
  expect(screen.queryByRole('progressbar')).toBeNull();
});

test('the current wave shows its progress and the rules that open the next', () => {
  show();
  const bar = screen.getByRole('progressbar');
  expect([bar.getAttribute('value'), bar.getAttribute('max')]).toEqual(['30', '50']);
  const rules = within(screen.getByRole('list', { name: 'Before wave 3 opens' })).getAllByRole('listitem');
  expect(rules.map((rule) => rule.textContent.trim().replace(/\s+/g, ' '))).toEqual([
    'Not yet: 4 of 5 finished',
    'Met: 100 % succeeded, needs 95 %',
    'Not yet: then soaks 2 h',
    'Not yet: needs approval',
  ]);
});

test('a wave names the canaries that will not update', () => {
  show();
  expect(screen.getByText('1 canary is unknown: no machine with this id checked in: db-7')).toBeTruthy();
});

test('machines that were not known before count apart', () => {
  show(undefined, { attempts: { granted: 3, succeeded: 1, failed: 2 } });
  expect(screen.getByText('3 granted · 1 ok · 2 failed · in no wave, and they halt nothing')).toBeTruthy();
});

test('the last wave has no rules for a next one', () => {
  show([wave(1, 'DONE', 0.1), wave(2, 'CURRENT', 1)]);
  expect(screen.queryByRole('list', { name: /Before wave/ })).toBeNull();
});
