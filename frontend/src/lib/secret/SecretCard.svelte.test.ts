import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import SecretCard from './SecretCard.svelte';
import { withSecret } from './secrets';

const secret = {
  id: 's1',
  name: 'racks',
  purpose: 'ENROLL',
  lastFour: 'WXYZ',
  createdAt: '2026-11-22T12:00:00Z',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};
let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  requests = fakeApi({
    MachineSecrets: () => ({
      application: { requireSecret: true, requireCertificate: false, secrets: [] },
      group: { requireSecret: false, requireCertificate: false, secrets: [secret] },
    }),
    CreateMachineSecret: () => ({ outcome: { created: { text: 'crm_TEXT' }, userErrors: [] } }),
    RevokeMachineSecret: () => outcome(),
    RequireProof: () => outcome('the server asks machines for no certificates', 'requireCertificate'),
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const show = () => render(SecretCard, { applicationId: 'a', group: { id: 'g', name: 'prod' }, made: '' });

test('a new secret is shown once', async () => {
  show();
  await fireEvent.click(screen.getByRole('button', { name: 'New secret' }));
  await fireEvent.input(await screen.findByLabelText('Name'), { target: { value: 'new' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Create secret' }));
  expect(await screen.findByText('crm_TEXT')).toBeTruthy();
  expect(requests.find(({ name }) => name === 'CreateMachineSecret')?.variables).toEqual({
    input: { groupId: 'g', name: 'new', purpose: 'IDENTIFY', expiresAt: null },
  });
});

test('revoking asks for a reason', async () => {
  show();
  expect(await screen.findByText('…WXYZ')).toBeTruthy();
  await fireEvent.click(screen.getByRole('button', { name: 'Revoke racks' }));
  expect(await screen.findByText('Revoke racks?')).toBeTruthy();
  expect(requests.some(({ name }) => name === 'RevokeMachineSecret')).toBe(false);
});

test('requiring a certificate asks for a reason and shows why it fails', async () => {
  show();
  expect(
    await screen.findByText('All groups of the application refuse requests without a right secret.'),
  ).toBeTruthy();
  await fireEvent.click(screen.getByRole('button', { name: 'Require a client certificate' }));
  await fireEvent.input(await screen.findByLabelText(/Reason/), { target: { value: 'new racks' } });
  const [, confirm] = screen.getAllByRole('button', { name: 'Require a client certificate' });
  await fireEvent.click(confirm as HTMLElement);
  expect(await screen.findByText(/asks machines for no certificates/)).toBeTruthy();
  expect(requests.find(({ name }) => name === 'RequireProof')?.variables).toEqual({
    input: { id: 'g', requireCertificate: true, reason: 'new racks' },
  });
});

test('the secret is the last segment of the update URL', () => {
  expect(withSecret('https://u/v1/update/', 'crm_A')).toBe('https://u/v1/update/crm_A');
  expect(withSecret('https://u/v1/update/s3cret', 'crm_A')).toBe('https://u/v1/update/s3cret/crm_A');
});
