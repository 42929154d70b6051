import { expect, test } from 'vitest';
import { isOpen, within, worst, type TreeApplication } from './tree';

const application = (id: string, groups: number): TreeApplication => ({
  id,
  name: id,
  groups: Array.from({ length: groups }, (_, i) => ({
    id: `${id}${i}`,
    name: `${i}`,
    arch: 'amd64',
    state: 'UP_TO_DATE',
  })),
});

const small = [application('a', 4), application('b', 4)];
const large = Array.from({ length: 10 }, (_, i) => application(`app${i}`, 6));
const open = (all: TreeApplication[], current: string, chosen = new Map<string, boolean>()) =>
  all.filter((one) => isOpen(one, all, current, chosen)).map(({ id }) => id);

test('with few groups all applications are open', () => {
  expect(open(small, '/')).toEqual(['a', 'b']);
});

test('an application without packages is closed, unless it is the only one', () => {
  const idle = application('idle', 2);
  const nothing = {
    ...idle,
    groups: idle.groups.map((group) => ({ ...group, state: 'NO_PACKAGE' as const })),
  };
  expect(open([nothing, ...small], '/')).toEqual(['a', 'b']);
  expect(open([nothing], '/')).toEqual(['idle']);
});

test('with many groups only the current application is open', () => {
  expect(open(large, '/')).toEqual([]);
  expect(open(large, '/apps/app3/groups/x/policy')).toEqual(['app3']);
});

test('the choice of the user overrides the default', () => {
  const chosen = new Map([
    ['app1', true],
    ['app3', false],
  ]);
  expect(open(large, '/apps/app3', chosen)).toEqual(['app1']);
});

test('the most urgent group state represents its application', () => {
  expect(worst(['UP_TO_DATE', 'ROLLING_OUT', 'PAUSED', 'HALTED'])).toBe('HALTED');
  expect(worst(['UP_TO_DATE', 'ROLLING_OUT', 'PAUSED'])).toBe('PAUSED');
  expect(worst([])).toBe('NO_PACKAGE');
});

test('a page is within the page above it, not within one with a similar path', () => {
  expect(within('/apps/1/groups/2', '/apps/1')).toBe(true);
  expect(within('/apps/12', '/apps/1')).toBe(false);
  expect(within('/machines', '/')).toBe(false);
});
