import { expect, test } from 'vitest';
import { gateRules } from './gate';

const gate = {
  satisfied: false,
  finished: 4,
  minFinished: 5,
  successShare: 0.75,
  minSuccessShare: 0.95,
  soakEndsAt: null,
  needsApproval: true,
};
const text = (change: Partial<typeof gate> | { soakEndsAt: string }, soak = 7200, left = 0) =>
  gateRules({ ...gate, ...change }, soak, () => left).map((rule) => `${rule.met ? '+' : '-'} ${rule.text}`);

test('a gate lists its unmet rules', () =>
  expect(text({})).toEqual([
    '- 4 of 5 finished',
    '- 75 % succeeded, needs 95 %',
    '- then soaks 2 h',
    '- needs approval',
  ]));

test('the soak rule counts down and is then met', () => {
  const held = {
    satisfied: true,
    finished: 20,
    successShare: 1,
    needsApproval: false,
    soakEndsAt: '2026-11-23T04:00:00Z',
  };
  expect(text(held, 7200, 65)).toEqual([
    '+ 20 of 5 finished',
    '+ 100 % succeeded, needs 95 %',
    '- soaks for 1 min 5 s',
  ]);
  expect(text(held, 7200, 0).at(-1)).toBe('+ soaked 2 h');
});

test('rules that the policy does not have are left out', () =>
  expect(text({ minSuccessShare: 0, needsApproval: false }, 0)).toEqual(['- 4 of 5 finished']));

test('a success share without finished attempts is not met', () =>
  expect(text({ finished: 0, minFinished: 0, successShare: 0, minSuccessShare: 0.1 })[0]).toMatch(/^- 0 %/));
