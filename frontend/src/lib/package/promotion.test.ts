import { expect, test } from 'vitest';
import { promotionObstacle } from './promotion';

const channel = {
  id: 'c',
  name: 'stable',
  arch: 'amd64',
  package: { id: 'old', version: '1.0.0' },
  promotionNeedsApproval: false,
};
const pack = { id: 'new', version: '2.0.0', arch: 'amd64', blacklistings: [] };

test('a package of the same architecture can be promoted', () =>
  expect(promotionObstacle(channel, pack)).toBeNull());

test('a promotion that the API would reject has an obstacle', () => {
  expect(promotionObstacle(channel, { ...pack, arch: 'arm64' })).toBe(
    'the channel is for amd64, but the package is for arm64',
  );
  expect(promotionObstacle(channel, { ...pack, id: 'old' })).toBe('already points to this package');
  const kept = (reason: string, id = 'c') => ({ ...pack, blacklistings: [{ reason, channel: { id } }] });
  expect(promotionObstacle(channel, kept('boot loops'))).toBe('blacklisted for this channel: “boot loops”');
  expect(promotionObstacle(channel, kept(''))).toBe('blacklisted for this channel');
  expect(promotionObstacle(channel, kept('boot loops', 'other'))).toBeNull();
});
