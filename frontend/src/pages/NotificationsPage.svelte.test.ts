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

const page = {
  notifiers: [] as object[],
  failedDeliveries: [] as object[],
  messageSettings: {
    mailServer: '',
    mailFrom: '',
    mailEncrypted: false,
    lastMail: null,
    receivers: ['public'],
  },
  teams: [],
  applications: [],
};
const answers = { NotificationsPage: () => page };
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

test('the latest failures say why, and lead to their delivery', async () => {
  may.set('ADMIN', Object.keys(needs), { ...needs, redeliverMessages: 'ADMIN' });
  const notifier = {
    id: 'n1',
    teamId: 't1',
    name: 'Change tracker',
    kind: 'MAIL',
    url: '',
    addresses: ['ops@example.com'],
    authorization: false,
    previousSecretUntil: null,
    kinds: [],
    minSeverity: 'SUCCESS',
    applicationIds: [],
    groupIds: [],
    digest: 'PT0S',
    quietFrom: '',
    quietUntil: '',
    timezone: 'UTC',
    enabled: true,
    disabledBecause: '',
    sentAt: null,
    failingSince: '2026-03-02T10:00:00Z',
    lastError: '535 wrong password',
    lastDay: { total: 1, delivered: 0, waiting: 0, failed: 1 },
    firing: 0,
    createdBy: 'ana',
    createdAt: '2026-03-01T10:00:00Z',
  };
  const log = [
    {
      at: '2026-03-02T10:00:00Z',
      delivered: false,
      class: 'MAIL',
      status: 535,
      error: 'wrong password',
      took: 'PT1S',
    },
  ];
  const delivery = {
    id: 'd1',
    notifierId: 'n1',
    type: 'rollout.halted',
    summary: 'Rollout halted',
    state: 'FAILED',
    attempts: 10,
    nextAt: null,
    createdAt: '2026-03-02T10:00:00Z',
    endedAt: '2026-03-02T10:00:00Z',
    failedAt: '2026-03-02T10:00:00Z',
    digestId: null,
    log,
  };
  const settings = {
    mailServer: 'smtp.example.com:587',
    mailFrom: 'roller@example.com',
    mailEncrypted: true,
    lastMail: null,
    receivers: [],
  };
  fakeApi({
    NotificationsPage: () => ({
      ...page,
      notifiers: [notifier],
      failedDeliveries: [delivery],
      messageSettings: settings,
    }),
  });
  render(NotificationsPage);
  const card = await waitFor(() => screen.getByRole('region', { name: 'Latest failures' }));
  expect(card.textContent).toContain('wrong password · given up after 10 attempts');
  expect(card.querySelector('a')?.getAttribute('href')).toBe('/notifications/n1?show=failed&delivery=d1');
  const server = screen.getByRole('region', { name: 'Mail server and receivers' });
  expect(server.textContent).toMatch(/smtp\.example\.com:587.*failed.*535 wrong password/s);
});
