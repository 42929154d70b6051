import { expect, test } from 'vitest';
import { compareVersions, sameButForBuild } from './compare';

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

test('versions of one to four numbers are ordered number by number', () => {
  const numeric = [
    ['0'],
    ['9.9.9.9'],
    ['10.0.19045', '10.0.19045.0', '10.00.19045'],
    ['10.0.19045.380'],
    ['10.0.19045.3803'],
    ['2026.01.05', '2026.1.5'],
    ['2026.10'],
    ['999999999999999998.0'],
    ['999999999999999999.0'],
  ];
  numeric.forEach((same, i) =>
    numeric.forEach((others, j) =>
      same.forEach((a) =>
        others.forEach((b) =>
          expect(Math.sign(compareVersions(a, b)), `${a} and ${b}`).toBe(Math.sign(i - j)),
        ),
      ),
    ),
  );
});

test('build metadata does not order versions, but another build is not the target', () => {
  expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
  expect(sameButForBuild('1.0.0+a', '1.0.0+b')).toBe(true);
  expect(sameButForBuild('1.0.0', '1.0.0+b')).toBe(true);
  expect(sameButForBuild('1.0.0+b', '1.0.0+b')).toBe(false);
  expect(sameButForBuild('2026.1.5', '2026.01.05')).toBe(false);
});
