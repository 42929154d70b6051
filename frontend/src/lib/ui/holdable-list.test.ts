import { expect, test } from 'vitest';
import { HoldableList } from './holdable-list.svelte';

interface Row {
  id: string;
  state: string;
}

const rows = (text: string): Row[] =>
  text.split(' ').map((part) => {
    const [id = '', state = ''] = part.split(':');
    return { id, state };
  });

const shown = (list: HoldableList<Row>) => list.items.map(({ id, state }) => `${id}:${state}`).join(' ');

test('rows follow the latest state while the list is not held', () => {
  const list = new HoldableList<Row>((row) => row.id);
  list.update(rows('a:1 b:1'));
  list.update(rows('c:1 a:2'));
  expect(shown(list)).toBe('c:1 a:2');
  expect(list.waiting).toBe(0);
});

test('held rows are updated in place, and new rows wait', () => {
  const list = new HoldableList<Row>((row) => row.id);
  list.update(rows('a:1 b:1'));
  list.hold('pointer');
  list.update(rows('d:1 c:1 b:2'));
  expect(shown(list)).toBe('a:1 b:2');
  expect(list.waiting).toBe(2);
  list.release('pointer');
  expect(shown(list)).toBe('d:1 c:1 b:2');
});

test('a list held for two reasons moves after both are released', () => {
  const list = new HoldableList<Row>((row) => row.id);
  list.update(rows('a:1'));
  list.hold('freeze');
  list.hold('pointer');
  list.update(rows('b:1 a:1'));
  list.release('pointer');
  expect(shown(list)).toBe('a:1');
  list.catchUp();
  expect(shown(list)).toBe('b:1 a:1');
  list.update(rows('c:1'));
  expect(shown(list)).toBe('b:1 a:1');
  list.release('freeze');
  expect(shown(list)).toBe('c:1');
});
