import { expect, test } from 'vitest';
import { segments } from './VersionBar.svelte';

test('the target is green, older versions grey, the smallest combined', () => {
  const drawn = segments([
    { version: '4152.1.1', machines: 7130, onTarget: true },
    { version: '4081.2.0', machines: 2410, onTarget: false },
    { version: '4054.1.0', machines: 392, onTarget: false },
    { version: '4050.0.0', machines: 60, onTarget: false },
    { version: '', machines: 8, onTarget: false },
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
    { version: '2.0.0', machines: 1, onTarget: true },
    { version: '1.0.0', machines: 9999, onTarget: false },
  ]);
  expect(drawn.map((s) => s.label)).toEqual(['2.0.0', '1.0.0']);
});

test('versions without machines have no segment', () => {
  expect(segments([{ version: '1.0.0', machines: 0, onTarget: true }])).toEqual([]);
});
