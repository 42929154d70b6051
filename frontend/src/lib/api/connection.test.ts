import { expect, test, vi } from 'vitest';
import { Connection } from './connection.svelte';
import { graphql } from './graphql';

const watch = graphql(`
  subscription Watch($groupId: ID!) {
    groupChanged(groupId: $groupId) {
      snapshot
    }
  }
`);

interface Message {
  type: string;
  id?: string;
  payload?: { variables?: unknown };
}

/** The network: sockets that a test plays the server of. */
class Socket {
  static opened: Socket[] = [];
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  readyState = Socket.OPEN;
  readonly sent: Message[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number; reason: string; wasClean: boolean }) => void;

  constructor() {
    Socket.opened.push(this);
    queueMicrotask(() => this.onopen?.());
  }

  send(text: string) {
    this.sent.push(JSON.parse(text) as Message);
  }

  close(code = 1000) {
    this.drop(code);
  }

  say(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  drop(code = 1006) {
    this.readyState = Socket.CLOSED;
    this.onclose?.({ code, reason: '', wasClean: code !== 1006 });
  }

  asked(type: string): Message | undefined {
    return this.sent.find((message) => message.type === type);
  }
}

async function socket(number: number): Promise<Socket> {
  await vi.waitFor(() => expect(Socket.opened[number]?.asked('connection_init')).toBeDefined());
  return Socket.opened[number] as Socket;
}

function connect(onsignedout = () => undefined) {
  Socket.opened = [];
  vi.useFakeTimers();
  return new Connection({ url: 'ws://test/graphql', onsignedout, WebSocket: Socket });
}

test('a lost connection is said to be lost, comes back, and asks for the same again', async () => {
  const connection = connect();
  const received: boolean[] = [];
  connection.subscribe(watch, { groupId: 'g' }, ({ groupChanged }) => received.push(groupChanged.snapshot));
  expect(connection.state).toBe('connecting');
  expect(connection.asOf).toBeNull();

  const first = await socket(0);
  first.say({ type: 'connection_ack' });
  await vi.waitFor(() => expect(first.asked('subscribe')?.payload?.variables).toEqual({ groupId: 'g' }));
  expect(connection.state).toBe('live');
  first.say({
    type: 'next',
    id: first.asked('subscribe')?.id,
    payload: { data: { groupChanged: { snapshot: true } } },
  });
  expect(received).toEqual([true]);
  expect(connection.asOf).not.toBeNull();

  first.drop();
  expect(connection.state).toBe('lost');

  const second = await socket(1);
  second.say({ type: 'connection_ack' });
  await vi.waitFor(() => expect(second.asked('subscribe')?.payload?.variables).toEqual({ groupId: 'g' }));
  expect(connection.state).toBe('live');
  connection.close();
});

test('a server that no longer answers is taken for gone', async () => {
  const connection = connect();
  const first = await socket(0);
  first.say({ type: 'connection_ack' });
  await vi.waitFor(() => expect(connection.state).toBe('live'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(first.asked('ping')).toBeDefined();
  expect(connection.state).toBe('live');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(connection.state).toBe('lost');
  await socket(1);
  connection.close();
});

test('an ended session is told once and not tried again', async () => {
  const signedOut = vi.fn();
  const connection = connect(signedOut);
  (await socket(0)).drop(4401);
  expect(signedOut).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(Socket.opened).toHaveLength(1);
  connection.close();
});
