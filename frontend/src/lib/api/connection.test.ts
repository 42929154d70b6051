import { afterEach, expect, test, vi } from 'vitest';
import { Connection } from './connection.svelte';
import { FakeSocket } from './fake-socket';
import { graphql } from './graphql';

const watch = graphql(`
  subscription Watch($groupId: ID!) {
    groupChanged(groupId: $groupId) {
      snapshot
    }
  }
`);

afterEach(() => vi.useRealTimers());

function connect(onsignedout = () => undefined) {
  FakeSocket.opened = [];
  vi.useFakeTimers();
  return new Connection({ url: 'ws://test/graphql', onsignedout, WebSocket: FakeSocket });
}

test('a lost connection reconnects and resubscribes', async () => {
  const connection = connect();
  const received: boolean[] = [];
  connection.subscribe(watch, { groupId: 'g' }, ({ groupChanged }) => received.push(groupChanged.snapshot));
  expect(connection.state).toBe('connecting');
  expect(connection.asOf).toBeNull();

  const first = await FakeSocket.number(0);
  first.receive({ type: 'connection_ack' });
  await vi.waitFor(() =>
    expect(first.sentMessage('subscribe')?.payload?.variables).toEqual({ groupId: 'g' }),
  );
  expect(connection.state).toBe('live');
  first.receive({
    type: 'next',
    id: first.sentMessage('subscribe')?.id,
    payload: { data: { groupChanged: { snapshot: true } } },
  });
  expect(received).toEqual([true]);
  expect(connection.asOf).not.toBeNull();

  first.drop();
  expect(connection.state).toBe('lost');

  const second = await FakeSocket.number(1);
  second.receive({ type: 'connection_ack' });
  await vi.waitFor(() =>
    expect(second.sentMessage('subscribe')?.payload?.variables).toEqual({ groupId: 'g' }),
  );
  expect(connection.state).toBe('live');
  connection.close();
});

test('a connection without a pong counts as lost and reconnects', async () => {
  const connection = connect();
  const first = await FakeSocket.number(0);
  first.receive({ type: 'connection_ack' });
  await vi.waitFor(() => expect(connection.state).toBe('live'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(first.sentMessage('ping')).toBeDefined();
  expect(connection.state).toBe('live');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(connection.state).toBe('lost');
  await FakeSocket.number(1);
  connection.close();
});

test('an ended session is reported once, without a reconnect', async () => {
  const signedOut = vi.fn();
  const connection = connect(signedOut);
  (await FakeSocket.number(0)).drop(4401);
  expect(signedOut).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.opened).toHaveLength(1);
  connection.close();
});

test('a subscription is retried after a server error, not after a rejection', async () => {
  const connection = connect();
  const errors: string[] = [];
  const received: boolean[] = [];
  const subscribe = (groupId: string) =>
    connection.subscribe(
      watch,
      { groupId },
      ({ groupChanged }) => received.push(groupChanged.snapshot),
      ({ code }) => errors.push(code),
    );
  subscribe('internal');
  subscribe('missing');
  const socket = await FakeSocket.number(0);
  socket.receive({ type: 'connection_ack' });
  const asked = (groupId: string) =>
    socket.sent.filter(({ payload }) => (payload?.variables as { groupId?: string })?.groupId === groupId);
  await vi.waitFor(() => expect(asked('missing')).toHaveLength(1));
  const refuse = (id: string | undefined, code: string) =>
    socket.receive({ type: 'error', id, payload: [{ message: 'no', extensions: { code } }] });
  refuse(asked('internal')[0]?.id, 'INTERNAL');
  refuse(asked('missing')[0]?.id, 'NOT_FOUND');
  await vi.waitFor(() => expect(errors).toEqual(['INTERNAL', 'NOT_FOUND']));
  await vi.advanceTimersByTimeAsync(6_000);
  expect(asked('internal')).toHaveLength(2);
  expect(asked('missing')).toHaveLength(1);
  socket.receive({
    type: 'next',
    id: asked('internal')[1]?.id,
    payload: { data: { groupChanged: { snapshot: true } } },
  });
  expect(received).toEqual([true]);
  connection.close();
});
