import { expect, test } from 'vitest';
import { wayBack } from './fixture';
import { changes, choices } from './way-back';

const now = new Date('2026-11-23T15:00:00Z');
const offered = (channel = wayBack()) =>
  choices(channel, now).map(({ version, note }) => `${version} ${note}`);

test('the packages the channel pointed to come first, the latest first, then the highest', () => {
  expect(offered()).toEqual([
    '2.0.0 on stable 24 Oct–22 Nov',
    '1.9.3 on stable 1 Sept–24 Oct',
    '2.0.5 never on stable',
  ]);
});

test('blacklisted and deleted packages are not offered, nor those at or above the present one', () => {
  const blacklistings = [{ recalled: false, package: { id: 'p20', version: '2.0.0' } }];
  expect(offered(wayBack({ blacklistings }))).toEqual([
    '1.9.3 on stable 1 Sept–24 Oct',
    '2.0.5 never on stable',
  ]);
  const { promotions } = wayBack();
  const deleted = promotions.nodes.map((one) => ({ ...one, package: null }));
  expect(offered(wayBack({ promotions: { nodes: deleted } }))).toEqual([
    '2.0.5 never on stable',
    '1.9.3 never on stable',
  ]);
  expect(offered(wayBack({ package: null }))).toEqual([]);
});

test('a change is described with its user and reason', () => {
  const { promotions } = wayBack();
  const [latest] = promotions.nodes;
  const after = wayBack({
    name: 'steady',
    package: { id: 'p20', version: '2.0.0' },
    promotions: {
      nodes: [
        { ...(latest as NonNullable<typeof latest>), rolledBack: true, reason: 'it burns' },
        ...promotions.nodes,
      ],
    },
    blacklistings: [{ recalled: true, package: { id: 'p21', version: '2.1.0' } }],
  });
  expect(changes(wayBack({ floors: [{ package: { version: '2.1.0' } }] }), after)).toEqual([
    'It is now called steady.',
    'ops-2 rolled it back to 2.0.0, from 2.1.0: “it burns”',
    'Now 2.1.0 is blacklisted, and machines on it are downgraded.',
    'No longer true: 2.1.0 is a floor.',
  ]);
  expect(changes(wayBack(), wayBack({ revision: 42 }))).toEqual([]);
});
