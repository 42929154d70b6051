import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
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

/** All changes, oldest first; a cursor is a position. */
let stored: Audit[];
let requests: ReturnType<typeof fakeApi>;
let visibility: DocumentVisibilityState;

const page = (entries: Audit[], { first, after }: { first: number; after: unknown }) => {
  const begin = after === null ? 0 : Number(after);
  const nodes = entries.slice(begin, begin + first);
  const end = begin + nodes.length;
  return {
    nodes,
    pageInfo: { hasNextPage: end < entries.length, endCursor: end > 0 ? String(end) : null },
  };
};

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  visibility = 'visible';
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility);
  stored = [entry(0, 'first'), entry(1, 'second')];
  requests = fakeApi({
    AuditPage: () => ({
      applications: [],
      users: [],
      auditChain: { entries: stored.length, lastHash: hash(stored.length - 1) },
    }),
    Audits: ({ after }) => ({
      audits: page(stored.toReversed(), { first: 50, after }),
      newest: { nodes: stored.slice(-1) },
    }),
    AddedAudits: ({ filter, after }) => {
      const { since } = filter as { since?: string };
      const matching = stored.filter(({ at }) => !since || at >= since);
      return { audits: page(matching, { first: 1, after }) };
    },
  });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const reasons = () => screen.queryAllByText(/^“/).map((line) => line.textContent.replaceAll(/[“”]/g, ''));
const polls = () => requests.filter(({ name }) => name === 'AddedAudits');
const open = async () => {
  render(AuditPage);
  await waitFor(() => expect(reasons()).toEqual(['second', 'first']));
};

test('added changes appear at the top, each once', async () => {
  await open();
  stored.push(entry(2, 'third'), entry(3, 'fourth'));
  await vi.advanceTimersByTimeAsync(10_000);
  await waitFor(() => expect(reasons()).toEqual(['fourth', 'third', 'second', 'first']));
  // It does not read the whole log: it begins shortly before the newest known change.
  expect(polls()[0]?.variables['filter']).toEqual({ since: new Date(start + minute - 10_000).toISOString() });

  stored.push(entry(4, 'fifth'));
  await vi.advanceTimersByTimeAsync(10_000);
  await waitFor(() => expect(reasons()).toEqual(['fifth', 'fourth', 'third', 'second', 'first']));
  expect(polls().at(-1)?.variables['after']).toBe('3');
});

test('a hidden page asks nothing, and catches up when it is visible again', async () => {
  await open();
  visibility = 'hidden';
  stored.push(entry(2, 'third'));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(polls()).toEqual([]);
  visibility = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  await waitFor(() => expect(reasons()).toEqual(['third', 'second', 'first']));
});

test('a frozen page counts the changes that wait', async () => {
  await open();
  await fireEvent.click(screen.getByRole('button', { name: 'Freeze' }));
  stored.push(entry(2, 'third'));
  await fireEvent.focus(window);
  await fireEvent.click(await screen.findByRole('button', { name: '1 new' }));
  expect(reasons()).toEqual(['third', 'second', 'first']);
});

test('a page that is left asks nothing', async () => {
  await open();
  cleanup();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(polls()).toEqual([]);
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
  stored.push(entry(2, 'third'));
  await vi.advanceTimersByTimeAsync(10_000);
  await waitFor(() => expect(screen.getByText(/^3 entries in the chain/).textContent).toContain('aaaa…aaa2'));
});

test('failed sign-ins are counted in one line, without an object', async () => {
  stored = [
    {
      ...entry(0, 'guess'),
      action: 'signInFailed',
      objectType: 'user',
      objectId: '00000000-0000-0000-0000-000000000000',
      after: '{"username":"root","attempts":7}',
      actor: 'root',
    },
  ];
  render(AuditPage);
  const line = await screen.findByText(/failed to sign in/);
  expect(line.textContent.replaceAll(/\s+/g, ' ').trim()).toBe('root failed to sign in 7 times');
  expect(screen.queryByText(/all changes of/)).toBeNull();
});
