import { expect, test } from 'vitest';
import { expiryAfter, scopeTexts, tokenState, type Use } from './token';
import { linkSecret, wallLink } from './wall-link';

const now = new Date('2026-11-28T03:00:00Z');
const days = (n: number) => new Date(now.getTime() + n * 86_400_000).toISOString();
const everywhere = { role: 'VIEWER', everywhere: true, application: null, group: null } as const;
const token = (change: Partial<Use>): Use => ({
  createdAt: days(-200),
  expiresAt: days(100),
  lastUsedAt: days(0),
  link: false,
  grants: [everywhere],
  ...change,
});

test('the state of a token names its risk', () => {
  const full = { grants: [{ ...everywhere, role: 'ADMIN' as const }] };
  const narrow = {
    grants: [
      { role: 'ADMIN' as const, everywhere: false, application: { id: 'a', name: 'agent' }, group: null },
    ],
  };
  expect(
    [
      token({}),
      token({ createdAt: days(-0.5), lastUsedAt: null }),
      token({ createdAt: days(-2), lastUsedAt: null }),
      token({ createdAt: days(-2), lastUsedAt: null, ...full }),
      token({ lastUsedAt: days(-91), ...narrow }),
      token({ lastUsedAt: days(-89), ...full }),
      token({ expiresAt: days(6) }),
      token({ expiresAt: days(-1), lastUsedAt: null }),
    ].map((each) => tokenState(each, now).label),
  ).toEqual([
    'Active',
    'New',
    'Unused',
    'Unused, full rights',
    'Unused',
    'Active',
    'Expires soon',
    'Expired',
  ]);
});

test('the scope names applications and groups, also deleted ones', () => {
  const application = { id: 'a', name: 'agent' };
  const grant = { role: 'VIEWER' as const, everywhere: false, application, group: null };
  expect(
    scopeTexts({
      grants: [
        everywhere,
        grant,
        { ...grant, group: { id: 'g', name: 'prod' } },
        { ...grant, application: null },
      ],
    }),
  ).toEqual(['all applications', 'agent', 'agent / prod', 'deleted']);
});

test('the secret of a wall link is in its fragment only', () => {
  const address = new URL(wallLink('https://example.com', 'a', 'g', 'crt_Secret1'));
  expect(address.pathname + address.search).toBe('/apps/a/groups/g?wall=1');
  expect(linkSecret(address.hash)).toBe('crt_Secret1');
  expect([linkSecret('#machines'), linkSecret(''), linkSecret('#crt_<b>')]).toEqual([null, null, null]);
});

test('a lifetime is counted from now', () => {
  expect(expiryAfter(90, now)).toBe('2027-02-26T03:00:00.000Z');
});
