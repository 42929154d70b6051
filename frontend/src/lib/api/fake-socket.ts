import { vi } from 'vitest';

interface Message {
  type: string;
  id?: string;
  payload?: { variables?: unknown };
}

/** The network: sockets that a test plays the server of. */
export class FakeSocket {
  static opened: FakeSocket[] = [];
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  readyState = FakeSocket.OPEN;
  readonly sent: Message[] = [];
  onopen?: () => void;
  onmessage?: (event: { data: string }) => void;
  onclose?: (event: { code: number; reason: string; wasClean: boolean }) => void;

  constructor() {
    FakeSocket.opened.push(this);
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
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code, reason: '', wasClean: code !== 1006 });
  }

  asked(type: string): Message | undefined {
    return this.sent.find((message) => message.type === type);
  }

  /** The socket opened as the n-th, as soon as its client has said hello. */
  static async number(n: number): Promise<FakeSocket> {
    return vi.waitFor(() => {
      const socket = FakeSocket.opened[n];
      if (!socket?.asked('connection_init')) throw new Error(`no socket ${n} yet`);
      return socket;
    });
  }

  /** Admits the client and answers the first subscription it makes. */
  async answer(data: object) {
    this.say({ type: 'connection_ack' });
    await vi.waitFor(() => {
      if (!this.asked('subscribe')) throw new Error('nothing asked yet');
    });
    this.next(data);
  }

  next(data: object) {
    this.say({ type: 'next', id: this.asked('subscribe')?.id, payload: { data } });
  }
}
