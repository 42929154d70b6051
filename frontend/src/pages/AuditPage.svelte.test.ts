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

const hash = (n: number) => n.toString(16).padStart(64, 'a');
const entry = (minutes: number, reason: string): Audit => ({
  id: `entry-${minutes}`,
  at: time(minutes),
  actor: 'admin',
  credential: 'session',
  address: '192.0.2.7',
  action: 'pauseUpdates',
  objectType: 'group',
  objectId: 'g',
  applicationId: 'a',
  before: '',
  after: '',
  reason,
  number: minutes + 1,
  previousHash: minutes === 0 ? '' : hash(minutes - 1),
  hash: hash(minutes),
  package: null,
  rollout: null,
});

let report: (added: object) => void;
let ended: boolean;
let entries: number;

beforeEach(() => {
  ended = false;
  entries = 2;
  const subscribe = (_document: unknown, _variables: unknown, next: typeof report) => {
    report = next;
    return () => (ended = true);
  };
  vi.spyOn(session, 'connection', 'get').mockReturnValue({ subscribe } as unknown as Connection);
  fakeApi({
    AuditPage: () => ({
      applications: [],
      users: [],
      auditChain: { entries, lastHash: hash(entries - 1) },
    }),
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

test('an opened change shows its place in the chain, and the page the end of the chain', async () => {
  await open();
  expect((await screen.findByText(/^2 entries in the chain/)).textContent).toContain('aaaa…aaa1');
  await fireEvent.click(screen.getAllByText('Details')[0] as HTMLElement);
  const facts = screen.getByText('#2').closest('dl')?.textContent.replaceAll(/\s+/g, ' ');
  expect(facts).toContain('aaaa…aaa1');
  expect(facts).toContain('follows aaaa…aaa0');
  expect(facts).toContain('192.0.2.7');

  // A new change moves the end of the chain.
  entries = 3;
  add(entry(2, 'third'));
  await waitFor(() => expect(screen.getByText(/^3 entries in the chain/).textContent).toContain('aaaa…aaa2'));
});

test('failed sign-ins are counted in one line, without an object', async () => {
  await open();
  add({
    ...entry(2, 'guess'),
    action: 'signInFailed',
    objectType: 'user',
    objectId: '00000000-0000-0000-0000-000000000000',
    after: '{"username":"root","attempts":7}',
    actor: 'root',
  });
  const line = await screen.findByText(/failed to sign in/);
  expect(line.textContent.replaceAll(/\s+/g, ' ').trim()).toBe('root failed to sign in 7 times');
});
