import { expect, test } from 'vitest';
import {
  changedExpression,
  expressionOrder,
  needsPreview,
  placeText,
  priorityOf,
  savingVerb,
} from './expression';

test.each([
  ['', 0],
  [' 7 ', 7],
  ['10000', 10_000],
  ['10001', null],
  ['-1', null],
  ['1.5', null],
  ['1e3', null],
  ['first', null],
])('priority %j is %j', (text, wanted) => expect(priorityOf(text)).toBe(wanted));

const before = { expression: "oem == 'azure'", priority: 5 };

test.each([
  [undefined, { expression: '  ', priority: '' }, {}],
  [undefined, { expression: 'true', priority: '3' }, { expression: 'true', priority: 3 }],
  [before, { expression: " oem == 'azure'\n", priority: '5' }, {}],
  [before, { expression: '', priority: '5' }, { expression: '' }],
  [before, { expression: before.expression, priority: '6' }, { priority: 6 }],
  [before, { expression: before.expression, priority: 'x' }, null],
] as const)('only what differs is sent: %j, %j', (was, now, wanted) =>
  expect(changedExpression(was, now)).toEqual(wanted),
);

test('a priority without an expression moves no machine', () => {
  expect(needsPreview({ expression: null }, { priority: 2 })).toBe(false);
  expect(needsPreview(before, { priority: 2 })).toBe(true);
  expect(needsPreview(before, { expression: '' })).toBe(true);
  expect(needsPreview(before, {})).toBe(false);
  expect(needsPreview(before, null)).toBe(false);
});

const move = (machines: number) => ({ from: null, to: null, machines, samples: [], sampleIds: [] });

test.each([
  [null, 'Save'],
  [{ moves: [], complete: true }, 'Save, move no machine'],
  [{ moves: [move(1)], complete: true }, 'Save, move 1 machine'],
  [{ moves: [move(1000), move(234)], complete: true }, 'Save, move 1,234 machines'],
  [{ moves: [], complete: false }, 'Save, move at least 0 machines'],
])('the button names what moves: %j', (preview, wanted) => expect(savingVerb('Save', preview)).toBe(wanted));

test('expressions are tried by priority, then by id, for each architecture', () => {
  const group = (id: string, priority: number, arch = 'amd64', expression: string | null = 'true') => ({
    id,
    priority,
    arch,
    expression,
  });
  const order = expressionOrder([
    group('c', 0, 'arm64'),
    group('b', 5),
    group('a', 5),
    group('d', 9),
    group('e', 1),
    group('f', 0, 'amd64', null),
  ]);
  expect(order.map((one) => [one.group.id, placeText(one)])).toEqual([
    ['c', 'the only expression for arm64'],
    ['e', 'first of 4 expressions for amd64'],
    ['a', 'second of 4 expressions for amd64'],
    ['b', 'third of 4 expressions for amd64'],
    ['d', 'last of 4 expressions for amd64'],
  ]);
});
