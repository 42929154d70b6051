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

test('one key acts at once', () => {
  expect(type('/')).toEqual([{ act: 'search' }]);
  expect(type('?')).toEqual([{ act: 'help' }]);
});

test('a page takes two keys', () => {
  expect(type('g u')).toEqual([null, { act: 'go', to: '/audit' }]);
  expect(type('g 3')).toEqual([null, { act: 'application', nth: 2 }]);
});

test('f freezes, and only after g it goes to the fleet', () => {
  expect(type('f g f f')).toEqual([{ act: 'freeze' }, null, { act: 'go', to: '/' }, { act: 'freeze' }]);
});

test('the second key must follow soon', () => {
  const reader = new KeyReader();
  expect(reader.read(press('g'), false, 0)).toBeNull();
  expect(reader.read(press('a'), false, 5000)).toBeNull();
});

test('an unknown second key is taken for itself', () => {
  expect(type('g / a')).toEqual([null, { act: 'search' }, null]);
});

test('no key acts while typing, except with Ctrl or Cmd', () => {
  expect(type('/ ? j g a f', true).every((command) => command === null)).toBe(true);
  const reader = new KeyReader();
  expect(reader.read(press('k', { ctrlKey: true }), true, 0)).toEqual({ act: 'palette' });
  expect(reader.read(press('K', { metaKey: true }), true, 0)).toEqual({ act: 'palette' });
});

test('with Alt a key is left to the browser', () => {
  expect(new KeyReader().read(press('f', { altKey: true }), false, 0)).toBeNull();
});

test('no two lines of the help claim the same keys', () => {
  const claimed = sections.flatMap(({ keys }) => keys.map((key) => key.keys.join(' ')));
  expect(new Set(claimed).size).toBe(claimed.length);
});

test('an application that is not there is nowhere', () => {
  expect(nthApplication(['a', 'b'], 1)).toBe('/apps/b');
  expect(nthApplication(['a', 'b'], 2)).toBeNull();
});
