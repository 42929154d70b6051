import { expect, test } from 'vitest';
import { byKind, importOf, isLoss, isOnOldServer, tookNothing } from './import';

const note = (kind: string, reason = '') => ({ kind, id: '', name: '', reason });

test.each([
  ['http://nebraska.example.com/flatcar/', true],
  ['https://nebraska.example.com:8443/flatcar/stable/', true],
  ['https://update.example.com/flatcar', false],
  ['https://update.example.com/os/flatcar/', false],
  ['not a URL /flatcar/', false],
])('a package at %s is on the old server: %s', (url, expected) => {
  expect(isOnOldServer(url)).toBe(expected);
});

test('a pause belongs to the import during which it began', () => {
  const second = { id: '2', startedAt: '2026-03-02T10:00:00Z', endedAt: null };
  const first = { id: '1', startedAt: '2026-03-01T10:00:00Z', endedAt: '2026-03-01T10:05:00Z' };
  const imports = [second, first];
  expect(importOf(imports, '2026-03-01T10:04:00Z')).toBe(first);
  expect(importOf(imports, '2026-03-02T10:04:00Z')).toBe(second);
  expect(importOf(imports, '2026-03-01T11:00:00Z')).toBeNull();
});

test('notes are grouped by kind in their order', () => {
  const [a, b, c] = [note('packages', 'a'), note('groups', 'b'), note('packages', 'c')];
  expect(byKind([a, b, c])).toEqual([
    { kind: 'packages', notes: [a, c] },
    { kind: 'groups', notes: [b] },
  ]);
});

test('what is left out or in conflict is a loss, what is only different is not', () => {
  expect(isLoss(note('packages', 'not taken: its type 9 is not known'))).toBe(true);
  expect(isLoss(note('groups', 'conflict: it was changed there and here'))).toBe(true);
  expect(isLoss(note('groups', 'the size is not taken: it is none'))).toBe(false);
});

test('an import took nothing if nothing is new or changed', () => {
  const count = { kind: 'groups', new: 0, changed: 0, same: 3, conflict: 1, dropped: 1 };
  expect(tookNothing({ counts: [count] })).toBe(true);
  expect(tookNothing({ counts: [count, { ...count, changed: 1 }] })).toBe(false);
});
