import { expect, test } from 'vitest';
import { GroupAddress } from './address';

const address = (query: string) => new GroupAddress('a', 'g', new URLSearchParams(query));

test('the address of a list keeps the chart settings and replaces the list', () =>
  expect(address('range=WEEK&by=oem&show=failed&search=x&failure=all').show('waiting')).toBe(
    '/apps/a/groups/g?range=WEEK&by=oem&show=waiting#machines',
  ));

test('the address of a chart keeps the list', () => {
  expect(address('range=WEEK&show=failed').chart({ range: 'DAY' })).toBe(
    '/apps/a/groups/g?show=failed&range=DAY',
  );
  expect(address('failure=oem.vmware').chart({ chart: 'versions' })).toBe(
    '/apps/a/groups/g?chart=versions&failure=oem.vmware',
  );
});

test('a list of failed attempts replaces the machines', () =>
  expect(address('show=failed').failures({ outcome: 'FAILED', code: 9 })).toBe(
    '/apps/a/groups/g?failure=FAILED.9#machines',
  ));

test('an address can open a dialog, and other links of the page drop it', () => {
  expect(address('do=pause').action).toBe('pause');
  expect(address('do=explode').action).toBeNull();
  expect(address('do=pause&range=DAY').chart()).toBe('/apps/a/groups/g?range=DAY');
});
