import { expect, test } from 'vitest';
import { progressText } from './expressions.svelte';

const walk = {
  startedAt: '2026-12-01T10:00:00Z',
  endedAt: null,
  seen: 1204,
  moved: 312,
  waiting: 0,
  kept: 0,
};

test('the progress of a walk names what it has seen and moved', () =>
  expect(progressText(walk, 5000)).toBe(
    'Applying expressions: 1,204 of 5,000 machines looked at, 312 moved',
  ));

test('the total is never below what was seen', () =>
  expect(progressText(walk, 1000)).toContain('1,204 of 1,204 machines'));

test('an ended walk names what waits and what stays', () =>
  expect(progressText({ ...walk, endedAt: walk.startedAt, waiting: 2, kept: 1 }, 5000)).toBe(
    'Expressions were applied: 1,204 machines looked at, 312 moved, 2 wait for the end of their update, 1 stay without an approval',
  ));
