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
const words = (change: Partial<typeof gate> | { soakEndsAt: string }, soak = 7200, left = 0) =>
  gateRules({ ...gate, ...change }, soak, () => left).map((rule) => `${rule.met ? '+' : '-'} ${rule.words}`);

test('a gate says what is still missing', () =>
  expect(words({})).toEqual([
    '- 4 of 5 finished',
    '- 75 % ok of 95 %',
    '- then 2 h of soak',
    '- needs approval',
  ]));

test('while it soaks the time runs down, and then it is met', () => {
  const held = {
    satisfied: true,
    finished: 20,
    successShare: 1,
    needsApproval: false,
    soakEndsAt: '2026-11-23T04:00:00Z',
  };
  expect(words(held, 7200, 65)).toEqual([
    '+ 20 of 5 finished',
    '+ 100 % ok of 95 %',
    '- soaks for 1 min 5 s',
  ]);
  expect(words(held, 7200, 0).at(-1)).toBe('+ soaked 2 h');
});

test('rules the policy does not have are not told', () =>
  expect(words({ minSuccessShare: 0, needsApproval: false }, 0)).toEqual(['- 4 of 5 finished']));

test('nothing finished is no success', () =>
  expect(words({ finished: 0, minFinished: 0, successShare: 0, minSuccessShare: 0.1 })[0]).toMatch(/^- 0 %/));
