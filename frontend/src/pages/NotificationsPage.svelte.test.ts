import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
import { may } from '$lib/ui/may.svelte';
import NotificationsPage from './NotificationsPage.svelte';

afterEach(() => {
  cleanup();
  may.clear();
  vi.unstubAllGlobals();
});

const answers = { NotificationsPage: () => ({ notifiers: [], teams: [], applications: [] }) };
const needs = { notifiers: 'ADMIN', createNotifier: 'ADMIN' };

test('without the role the page says so and asks for nothing', async () => {
  may.set('OPERATOR', [], needs);
  const requests = fakeApi(answers);
  render(NotificationsPage);
  expect(screen.getByText('Needs the role admin; you are operator.')).toBeTruthy();
  await new Promise((resolve) => setTimeout(resolve));
  expect(requests).toEqual([]);
  expect(screen.queryByRole('button')).toBeNull();
});

test('an empty list offers to make the first one', async () => {
  may.set('ADMIN', Object.keys(needs), needs);
  fakeApi(answers);
  render(NotificationsPage);
  const button = await waitFor(() => screen.getByRole('button', { name: 'New notifier' }));
  expect(button).toHaveProperty('disabled', false);
  expect(screen.getByText(/There is none yet/)).toBeTruthy();
});
