import { expect, test } from 'vitest';
import { segments } from './VersionBar.svelte';

test('the target is green, older versions grey, the smallest combined', () => {
  const drawn = segments([
    { version: '4152.1.1', machines: 7130, standing: 'ON_TARGET' as const },
    { version: '4081.2.0', machines: 2410, standing: 'BELOW_TARGET' as const },
    { version: '4054.1.0', machines: 392, standing: 'BELOW_TARGET' as const },
    { version: '4050.0.0', machines: 60, standing: 'BELOW_TARGET' as const },
    { version: '', machines: 8, standing: 'BELOW_TARGET' as const },
  ]);
  expect(drawn.map(({ label, machines, look }) => `${label} ${machines} ${look}`)).toEqual([
    '4152.1.1 7130 target',
    '4081.2.0 2410 older-1',
    '4054.1.0 392 older-2',
    'others 68 older-3',
  ]);
});

test('a single machine on the target gets a segment', () => {
  const drawn = segments([
    { version: '2.0.0', machines: 1, standing: 'ON_TARGET' as const },
    { version: '1.0.0', machines: 9999, standing: 'BELOW_TARGET' as const },
  ]);
  expect(drawn.map((s) => s.label)).toEqual(['2.0.0', '1.0.0']);
});

test('versions without machines have no segment', () => {
  expect(segments([{ version: '1.0.0', machines: 0, standing: 'ON_TARGET' as const }])).toEqual([]);
});

test('bad versions and those above the target have looks of their own, however few', () => {
  const drawn = segments([
    { version: '2.2.0', machines: 1, standing: 'ABOVE_TARGET' },
    { version: '2.1.0', machines: 1, standing: 'BAD' },
    { version: '2.0.0', machines: 900, standing: 'ON_TARGET' },
    { version: '2.0.0', machines: 98, standing: 'BELOW_TARGET' }, // in another group
  ]);
  expect(drawn.map(({ label, look, standing }) => `${label} ${look} ${standing}`)).toEqual([
    '2.2.0 above above the target',
    '2.1.0 bad on a halted or blacklisted version',
    '2.0.0 target on target',
    '2.0.0 older-1 ',
  ]);
});
