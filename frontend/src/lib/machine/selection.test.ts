import { expect, test } from 'vitest';
import { Selection } from './selection.svelte';

test('a selection is the filter or chosen rows', () => {
  const selection = new Selection();
  expect(selection.active).toBe(false);
  selection.toggle('a', ['a', 'b', 'c']);
  selection.toggle('b', ['a', 'b', 'c']);
  selection.toggle('a', ['a', 'b', 'c']);
  expect([selection.all, selection.ids, selection.has('a'), selection.has('b')]).toEqual([
    false,
    ['b'],
    false,
    true,
  ]);
  selection.selectAll();
  expect([selection.all, selection.ids, selection.has('z')]).toEqual([true, [], true]);
});

test('a row that is removed from all leaves the other rows of the page', () => {
  const selection = new Selection();
  selection.selectAll();
  selection.toggle('b', ['a', 'b', 'c']);
  expect([selection.all, selection.ids]).toEqual([false, ['a', 'c']]);
  selection.clear();
  expect(selection.active).toBe(false);
});
