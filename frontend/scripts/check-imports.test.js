import { expect, test } from 'vitest';
import { problems } from './check-imports.js';

const file = (path, ...imports) => [path, imports.map((from) => `import x from '${from}';`).join('\n')];

test('imports of lower tiers and of other nouns are allowed', () =>
  expect(
    problems([
      file('pages/GroupPage.svelte', '$lib/group/state', '../routes'),
      file('lib/group/state.ts', '$lib/machine/reason', '$lib/ui/tone', '$lib/paths', './gate'),
      file('lib/ui/pill.svelte', './tone'),
    ]),
  ).toEqual([]));

test('an import of a higher tier is reported', () =>
  expect(
    problems([
      file('lib/ui/pill.svelte', '../group/state'),
      file('lib/group/state.ts', '../../pages/GroupPage.svelte'),
    ]),
  ).toEqual([
    'lib/ui/pill.svelte: ui must not import group, a tier above it',
    'lib/group/state.ts: group must not import pages, a tier above it',
  ]));

test('an import cycle, direct or through other areas, is reported once', () => {
  expect(problems([file('lib/a/x.ts', '$lib/b/x'), file('lib/b/x.ts', '$lib/a/x')])).toEqual([
    'import cycle: a (lib/a/x.ts) → b (lib/b/x.ts) → a',
  ]);
  expect(
    problems([
      file('lib/a/x.ts', '$lib/b/x'),
      file('lib/b/x.ts', '$lib/c/x'),
      file('lib/c/x.ts', '$lib/a/x'),
    ]),
  ).toHaveLength(1);
});

test('dynamic imports count', () =>
  expect(problems([['lib/form/x.ts', "await import('$lib/group/state')"]])).toHaveLength(1));
