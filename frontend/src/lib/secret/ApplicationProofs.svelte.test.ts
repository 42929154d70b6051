import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import ApplicationProofs from './ApplicationProofs.svelte';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const application = { id: 'a', name: 'Harbor OS', requireSecret: true, requireCertificate: false };

test('an application says what its groups refuse', () => {
  render(ApplicationProofs, { application });
  expect(screen.getByText('All groups refuse requests without a right secret.')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Stop requiring a secret' })).toBeTruthy();
});

test('a conflict is shown in the dialog', async () => {
  const conflict = 'the server asks machines for no certificates: start it with --machine-client-ca first';
  const requests = fakeApi({ RequireProofEverywhere: () => outcome(conflict, 'requireCertificate') });
  render(ApplicationProofs, { application });
  await fireEvent.click(screen.getByRole('button', { name: 'Require a client certificate' }));
  const [, confirm] = screen.getAllByRole('button', { name: 'Require a client certificate' });
  await fireEvent.click(confirm as HTMLElement);
  expect((await screen.findByRole('alert')).textContent).toContain('asks machines for no certificates');
  expect(requests.at(-1)).toEqual({
    name: 'RequireProofEverywhere',
    variables: { input: { id: 'a', requireCertificate: true } },
  });
});

test('a secret that is no longer required is sent as such', async () => {
  const requests = fakeApi({ RequireProofEverywhere: () => outcome() });
  render(ApplicationProofs, { application });
  await fireEvent.click(screen.getByRole('button', { name: 'Stop requiring a secret' }));
  await fireEvent.click(await screen.findByRole('button', { name: 'Stop requiring' }));
  await vi.waitFor(() =>
    expect(requests.at(-1)?.variables).toEqual({ input: { id: 'a', requireSecret: false } }),
  );
});
