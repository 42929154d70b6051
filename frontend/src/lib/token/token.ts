import { graphql, type ResultOf } from '$lib/api/graphql';
import type { Tone } from '$lib/ui/tone';

export const tokenFragment = graphql(`
  fragment TokenRow on Token {
    id
    name
    link
    ending
    createdAt
    createdBy
    expiresAt
    lastUsedAt
    lastUsedAddress
    user {
      id
      username
    }
    grants {
      role
      everywhere
      application {
        id
        name
      }
      group {
        id
        name
      }
    }
  }
`);

export type Token = ResultOf<typeof tokenFragment>;

export const createTokenMutation = graphql(`
  mutation CreateToken($input: CreateTokenInput!) {
    outcome: createToken(input: $input) {
      token {
        id
        name
      }
      secret
      userErrors {
        field
        message
      }
    }
  }
`);

export const revokeTokenMutation = graphql(`
  mutation RevokeToken($id: ID!) {
    outcome: revokeToken(input: { id: $id }) {
      userErrors {
        field
        message
      }
    }
  }
`);

const day = 24 * 60 * 60 * 1000;
/** A token is new until its first use, but not for longer. */
const newFor = day;
/** An unused token is a risk without a benefit. */
const unusedAfter = 90 * day;
const soon = 7 * day;

export type Use = Pick<Token, 'createdAt' | 'expiresAt' | 'lastUsedAt' | 'link' | 'grants'>;

/** Whether a token may change anything that a user with a high role sees. */
const hasFullRights = ({ grants }: Use): boolean =>
  grants.some(({ role, everywhere }) => everywhere && (role === 'ADMIN' || role === 'OWNER'));

/** The state of a token, which names its risk. */
export function tokenState(token: Use, now: Date): { label: string; tone: Tone } {
  const left = Date.parse(token.expiresAt) - now.getTime();
  const idle = now.getTime() - Date.parse(token.lastUsedAt ?? token.createdAt);
  if (left <= 0) return { label: 'Expired', tone: 'quiet' };
  if (token.lastUsedAt === null && idle < newFor) return { label: 'New', tone: 'done' };
  if (token.lastUsedAt === null || idle > unusedAfter)
    return hasFullRights(token)
      ? { label: 'Unused, full rights', tone: 'warn' }
      : { label: 'Unused', tone: 'warn' };
  if (left <= soon) return { label: 'Expires soon', tone: 'warn' };
  return { label: 'Active', tone: 'done' };
}

/** Where a token may do something: "all applications", "agent", "agent / prod". */
export function scopeTexts({ grants }: Pick<Token, 'grants'>): string[] {
  return grants.map(({ everywhere, application, group }) => {
    if (everywhere) return 'all applications';
    if (!application) return 'deleted';
    return group ? `${application.name} / ${group.name}` : application.name;
  });
}

/** Lifetimes to choose from, in days. */
export const lifetimes = [30, 90, 365] as const;

export const expiryAfter = (days: number, now: Date): string =>
  new Date(now.getTime() + days * day).toISOString();
