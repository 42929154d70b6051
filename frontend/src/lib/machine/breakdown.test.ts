import { expect, test } from 'vitest';
import { filterOf } from './breakdown';

test('a value links to its machines where the list has such a filter', () => {
  expect(filterOf('oem', 'azure')).toEqual({ oem: 'azure' });
  expect(filterOf('rack', '3')).toEqual({ label: 'rack=3' });
  expect(filterOf('tags', 'canary')).toEqual({ label: 'canary' });
  expect(filterOf('version', '1.0.0')).toEqual({ version: '1.0.0' });
  expect(filterOf('arch', 'amd64')).toBeNull();
  expect(filterOf('rack', '')).toBeNull();
  expect(filterOf('room', 'north wing')).toBeNull();
});
