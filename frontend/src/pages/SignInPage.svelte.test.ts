import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
import { FakeSocket } from '$lib/api/fake-socket';
import { session } from '$lib/api/session.svelte';
import SignInPage from './SignInPage.svelte';

const user = {
  id: 'u',
  username: 'ana',
  mustChangePassword: false,
  singleSignOn: true,
  role: 'VIEWER',
  permissions: [],
};
const signIns = [
  { name: 'Keycloak', path: '/auth/oidc/start' },
  { name: 'GitHub', path: '/auth/github/start' },
];

function open(address: string, providers = signIns) {
  window.history.replaceState(null, '', address);
  fakeApi({
    SignIns: () => ({ serverInfo: { signIns: providers } }),
    SignIn: () => ({ outcome: { user, userErrors: [] } }),
    SignOut: () => ({ signOut: { providerUrl: 'https://id.example.com/end' } }),
  });
  render(SignInPage);
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('each identity provider has a link that leads back to the page', async () => {
  open('/machines?search=a%26b#top');
  const link = await screen.findByRole('link', { name: 'Sign in with Keycloak' });
  expect(link.getAttribute('href')).toBe('/auth/oidc/start?to=%2Fmachines%3Fsearch%3Da%2526b%23top');
  expect(screen.getByRole('link', { name: 'Sign in with GitHub' })).toBeTruthy();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('without identity providers there is only the password', async () => {
  open('/', []);
  await screen.findByLabelText('Password');
  await Promise.resolve();
  expect(screen.queryByRole('link', { name: /Sign in with/ })).toBeNull();
  expect(screen.queryByText('or')).toBeNull();
});

test.each([
  ['no-role', /has no role here/],
  ['unavailable', /use a password/],
  ['name-taken', /already has your user name/],
  ['toString', /^ ?The sign-in failed. Try again. ?$/],
])('a failed sign-in (%s) says what to do, once', async (kind, text) => {
  open(`/activity?order=asc&sign-in=${encodeURIComponent(kind)}`);
  expect(screen.getByRole('alert').textContent).toMatch(text);
  expect(window.location.pathname + window.location.search).toBe('/activity?order=asc');
  const link = await screen.findByRole('link', { name: 'Sign in with Keycloak' });
  expect(link.getAttribute('href')).toBe('/auth/oidc/start?to=%2Factivity%3Forder%3Dasc');
});

test('after a sign-out the page offers the one at the identity provider', async () => {
  vi.stubGlobal('WebSocket', FakeSocket);
  open('/');
  expect(screen.queryByRole('link', { name: /Sign out there/ })).toBeNull();
  await session.signIn('ana', 'secret');
  await session.signOut();
  const link = await screen.findByRole('link', { name: 'Sign out there, too' });
  expect(link.getAttribute('href')).toBe('https://id.example.com/end');
  await fireEvent.input(screen.getByLabelText('User name'), { target: { value: 'ana' } });
  await session.signIn('ana', 'secret');
  await waitFor(() => {
    expect(screen.queryByRole('link', { name: /Sign out there/ })).toBeNull();
  });
  await session.signOut(); // closes the connection
});
