import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Connection } from '$lib/api/connection.svelte';
import { fakeApi } from '$lib/api/fake-api';
import { session } from '$lib/api/session.svelte';
import type { Audit } from '$lib/audit/entry';
import AuditPage from './AuditPage.svelte';

const minute = 60_000;
const start = Date.parse('2026-11-23T14:00:00Z');
const time = (minutes: number) => new Date(start + minutes * minute).toISOString();

const entry = (minutes: number, reason: string): Audit => ({
  id: `entry-${minutes}`,
  at: time(minutes),
  actor: 'admin',
  credential: 'password',
  action: 'pauseUpdates',
  objectType: 'group',
  objectId: 'g',
  applicationId: 'a',
  before: '',
  after: '',
  reason,
  package: null,
  rollout: null,
});

let report: (added: object) => void;
let ended: boolean;

beforeEach(() => {
  ended = false;
  const subscribe = (_document: unknown, _variables: unknown, next: typeof report) => {
    report = next;
    return () => (ended = true);
  };
  vi.spyOn(session, 'connection', 'get').mockReturnValue({ subscribe } as unknown as Connection);
  fakeApi({
    AuditPage: () => ({ applications: [], users: [] }),
    Audits: () => ({
      audits: {
        nodes: [entry(1, 'second'), entry(0, 'first')],
        pageInfo: { hasNextPage: false, endCursor: 'end' },
      },
    }),
  });
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const reasons = () => screen.queryAllByText(/^“/).map((line) => line.textContent.replaceAll(/[“”]/g, ''));
const add = (...audits: Audit[]) => report({ auditAdded: { snapshot: false, audits } });
const open = async () => {
  render(AuditPage);
  await waitFor(() => expect(reasons()).toEqual(['second', 'first']));
};

test('added changes appear at the top, each once', async () => {
  await open();
  // The snapshot of the subscription repeats what is known.
  report({
    auditAdded: { snapshot: true, audits: [entry(2, 'third'), entry(1, 'second'), entry(0, 'first')] },
  });
  await waitFor(() => expect(reasons()).toEqual(['third', 'second', 'first']));
  add(entry(4, 'fifth'), entry(3, 'fourth'));
  await waitFor(() => expect(reasons()).toEqual(['fifth', 'fourth', 'third', 'second', 'first']));
});

test('a frozen page counts the changes that wait', async () => {
  await open();
  await fireEvent.click(screen.getByRole('button', { name: 'Freeze' }));
  add(entry(2, 'third'));
  await fireEvent.click(await screen.findByRole('button', { name: '1 new' }));
  expect(reasons()).toEqual(['third', 'second', 'first']);
});

test('a page that is left ends its subscription', async () => {
  await open();
  cleanup();
  expect(ended).toBe(true);
});
