import { vi } from 'vitest';

interface Message {
  type: string;
  id?: string;
  payload?: { variables?: unknown };
}

/** A WebSocket whose server side is controlled by the test. */
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

  receive(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  drop(code = 1006) {
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code, reason: '', wasClean: code !== 1006 });
  }

  sentMessage(type: string): Message | undefined {
    return this.sent.find((message) => message.type === type);
  }

  /** The n-th socket, once its client has sent connection_init. */
  static async number(n: number): Promise<FakeSocket> {
    return vi.waitFor(() => {
      const socket = FakeSocket.opened[n];
      if (!socket?.sentMessage('connection_init')) throw new Error(`no socket ${n} yet`);
      return socket;
    });
  }

  /** Acknowledges the connection and answers its first subscription. */
  async answer(data: object) {
    this.receive({ type: 'connection_ack' });
    await vi.waitFor(() => {
      if (!this.sentMessage('subscribe')) throw new Error('no subscription yet');
    });
    this.next(data);
  }

  next(data: object) {
    this.receive({ type: 'next', id: this.sentMessage('subscribe')?.id, payload: { data } });
  }
}
