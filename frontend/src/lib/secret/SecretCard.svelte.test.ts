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
      application: { requireSecret: false, secrets: [] },
      group: { requireSecret: false, secrets: [secret] },
    }),
    CreateMachineSecret: () => ({ outcome: { created: { text: 'crm_TEXT' }, userErrors: [] } }),
    RevokeMachineSecret: () => outcome(),
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

test('the secret is the last segment of the update URL', () => {
  expect(withSecret('https://u/v1/update/', 'crm_A')).toBe('https://u/v1/update/crm_A');
  expect(withSecret('https://u/v1/update/s3cret', 'crm_A')).toBe('https://u/v1/update/s3cret/crm_A');
});
