import { expect, test } from 'vitest';
import { promotionObstacle } from './promotion';

const channel = { id: 'c', name: 'stable', arch: 'amd64', package: { id: 'old', version: '1.0.0' } };
const pack = { id: 'new', version: '2.0.0', arch: 'amd64', blacklistings: [] };

test('a package of the same architecture can be promoted', () =>
  expect(promotionObstacle(channel, pack)).toBeNull());

test('what the API would refuse is said before', () => {
  expect(promotionObstacle(channel, { ...pack, arch: 'arm64' })).toBe('for amd64, the package is for arm64');
  expect(promotionObstacle(channel, { ...pack, id: 'old' })).toBe('points to it already');
  const kept = (reason: string, id = 'c') => ({ ...pack, blacklistings: [{ reason, channel: { id } }] });
  expect(promotionObstacle(channel, kept('boot loops'))).toBe('blacklisted there: “boot loops”');
  expect(promotionObstacle(channel, kept(''))).toBe('blacklisted there');
  expect(promotionObstacle(channel, kept('boot loops', 'other'))).toBeNull();
});
