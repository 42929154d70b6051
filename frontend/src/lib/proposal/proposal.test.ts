import { expect, test } from 'vitest';
import { changeParts } from './proposal';

test.each([
  [
    'package of channel beta, amd64: 2.0.0 → 2.1.0',
    { setting: 'package of channel beta, amd64', now: '2.0.0', proposed: '2.1.0' },
  ],
  [
    'windows: none → daily: 02:00 to 04:00',
    { setting: 'windows', now: 'none', proposed: 'daily: 02:00 to 04:00' },
  ],
  ['another line', { setting: 'another line' }],
])('%s', (line, parts) => expect(changeParts(line)).toEqual(parts));
