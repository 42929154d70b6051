import { expect, test } from 'vitest';
import { matching, type Entry } from './entries';

const entry = (section: string, label: string, rest: Partial<Entry> = {}): Entry => ({
  id: `${section} ${label}`,
  section,
  label,
  act: () => undefined,
  ...rest,
});

const entries = [
  entry('Pages', 'Fleet'),
  entry('Pages', 'Audit'),
  entry('Groups', 'Non-production', { where: 'Edge agent' }),
  entry('Groups', 'Production EU', { where: 'Edge agent' }),
  entry('Groups', 'Stable', { where: 'Flatcar', keywords: 'lts-track' }),
];

const labels = (typed: string) =>
  matching(entries, typed).map(({ section, entries }) => [section, ...entries.map(({ label }) => label)]);

test('an empty search lists everything in order', () => {
  expect(labels('')).toEqual([
    ['Pages', 'Fleet', 'Audit'],
    ['Groups', 'Non-production', 'Production EU', 'Stable'],
  ]);
});

test('entries that start with the text come first', () => {
  expect(labels('prod')).toEqual([['Groups', 'Production EU', 'Non-production']]);
});

test('every term must match', () => {
  expect(labels('edge eu')).toEqual([['Groups', 'Production EU']]);
  expect(labels('edge flatcar')).toEqual([]);
});

test('other keywords lead to it as well, upper and lower case alike', () => {
  expect(labels('LTS')).toEqual([['Groups', 'Stable']]);
});

test('a section shows at most eight entries', () => {
  const many = Array.from({ length: 60 }, (_, i) => entry('Groups', `Group ${i}`));
  expect(matching(many, 'group')[0]?.entries).toHaveLength(8);
});
