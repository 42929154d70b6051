import { expect, test } from 'vitest';
import { KeyReader, nthApplication, sections, type Command, type Press } from './keys';

const press = (key: string, held: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

function type(keys: string, typing = false): (Command | null)[] {
  const reader = new KeyReader();
  return keys.split(' ').map((key, i) => reader.read(press(key), typing, i * 100));
}

test('single keys act at once', () => {
  expect(type('/')).toEqual([{ act: 'search' }]);
  expect(type('?')).toEqual([{ act: 'help' }]);
});

test('g and a second key go to a page', () => {
  expect(type('g u')).toEqual([null, { act: 'go', to: '/audit' }]);
  expect(type('g 3')).toEqual([null, { act: 'application', nth: 2 }]);
});

test('f freezes; only after g it goes to the fleet', () => {
  expect(type('f g f f')).toEqual([{ act: 'freeze' }, null, { act: 'go', to: '/' }, { act: 'freeze' }]);
});

test('the second key must follow in time', () => {
  const reader = new KeyReader();
  expect(reader.read(press('g'), false, 0)).toBeNull();
  expect(reader.read(press('a'), false, 5000)).toBeNull();
});

test('an unknown second key acts as a single key', () => {
  expect(type('g / a')).toEqual([null, { act: 'search' }, null]);
});

test('while typing only shortcuts with Ctrl or Cmd act', () => {
  expect(type('/ ? j g a f', true).every((command) => command === null)).toBe(true);
  const reader = new KeyReader();
  expect(reader.read(press('k', { ctrlKey: true }), true, 0)).toEqual({ act: 'palette' });
  expect(reader.read(press('K', { metaKey: true }), true, 0)).toEqual({ act: 'palette' });
});

test('keys with Alt are ignored', () => {
  expect(new KeyReader().read(press('f', { altKey: true }), false, 0)).toBeNull();
});

test('no two shortcuts share their keys', () => {
  const claimed = sections.flatMap(({ keys }) => keys.map((key) => key.keys.join(' ')));
  expect(new Set(claimed).size).toBe(claimed.length);
});

test('a number without an application has no address', () => {
  expect(nthApplication(['a', 'b'], 1)).toBe('/apps/b');
  expect(nthApplication(['a', 'b'], 2)).toBeNull();
});
