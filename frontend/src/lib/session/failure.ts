/** Texts for the kinds of failure in the address, which server/signin sets. */
const texts = new Map(
  Object.entries({
    expired: 'The sign-in took too long or began in another browser. Sign in again.',
    refused: 'The identity provider refused the sign-in.',
    untrusted:
      'The answer of the identity provider could not be verified. The log of the server has the details.',
    unavailable: 'The identity provider is not available now. Try again later, or use a password.',
    'no-role':
      'Your account at the identity provider has no role here. Ask an administrator to give you access.',
    'no-name': 'The identity provider sent no user name that can be used. Ask an administrator.',
    'name-taken': 'Another user already has your user name, or one that looks like it. Ask an administrator.',
  }),
);

const parameter = 'sign-in';

/** Why a sign-in with an identity provider failed, from the query of the address; null if none did. */
export function signInFailure(search: string): string | null {
  const kind = new URLSearchParams(search).get(parameter);
  return kind === null ? null : (texts.get(kind) ?? 'The sign-in failed. Try again.');
}

/** The address without the failure, relative to this server. */
export function withoutFailure({ href }: { href: string }): string {
  const address = new URL(href);
  address.searchParams.delete(parameter);
  return address.pathname + address.search + address.hash;
}

/** Where the sign-in with an identity provider begins that leads back to an address. */
export const startAddress = (path: string, to: string) => `${path}?to=${encodeURIComponent(to)}`;
