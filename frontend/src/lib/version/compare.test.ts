import { expect, test } from 'vitest';
import { compareVersions } from './compare';

// Lowest first; the middle is the example of semver.org, section 11.
const ordered = [
  '',
  '0.9.0',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1',
  '1.2.0',
  '1.10.0',
  '4152.1.1',
];

test('versions are ordered as semver defines', () => {
  ordered.forEach((a, i) =>
    ordered.forEach((b, j) =>
      expect(Math.sign(compareVersions(a, b)), `${a} and ${b}`).toBe(Math.sign(i - j)),
    ),
  );
});

test('build metadata is ignored', () => expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0));
