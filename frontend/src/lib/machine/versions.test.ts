import { expect, test } from 'vitest';
import { mergeVersions } from './versions';

test('versions of several applications are merged, highest first', () =>
  expect(
    mergeVersions([
      [
        { version: '2.0.0', machines: 3 },
        { version: '', machines: 1 },
      ],
      [
        { version: '10.0.0', machines: 1 },
        { version: '2.0.0', machines: 4 },
      ],
    ]),
  ).toEqual([
    { version: '10.0.0', machines: 1 },
    { version: '2.0.0', machines: 7 },
    { version: '', machines: 1 },
  ]));
