import { print } from '@0no-co/graphql.web';
import type { TadaDocumentNode } from 'gql.tada';
import { createClient, type Client } from 'graphql-ws';
import { ApiError } from './request';

/** State of the websocket. The numbers on the screen are current while it is live. */
export type ConnectionState = 'connecting' | 'live' | 'lost';

/** Milliseconds between pings, so that a healthy connection is never idle for longer. */
const pingEvery = 10_000;
/** Milliseconds to wait for a pong before the connection counts as lost. */
const pongTimeout = 5_000;
/** Upper bound of the reconnect backoff, in milliseconds. */
const maxBackoff = 4_000;
/** Milliseconds before a subscription that failed on the server is sent again. */
const resubscribeAfter = 5_000;

/** Close code of the server for an ended session. */
const sessionEnded = 4401;

interface Options {
  url: string;
  /** Secret of a token instead of the session of this browser. Pages cannot set headers of a
   * websocket, so it is in the first message. */
  token?: string | undefined;
  /** Called when the server has ended the session. */
  onsignedout: () => void;
  /** Replaces the browser's WebSocket in tests. */
  WebSocket?: unknown;
}

/** The websocket of this tab. It reconnects until it is closed. After a reconnect
 * every subscription starts again with a snapshot, so no change is lost. */
export class Connection {
  state = $state<ConnectionState>('connecting');
  /** When the server last sent a message, in ms since 1970; null before the first. */
  asOf = $state<number | null>(null);

  readonly #client: Client;
  #pongTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ url, token, onsignedout, WebSocket }: Options) {
    let socket: WebSocket | undefined;
    this.#client = createClient({
      url,
      lazy: false,
      keepAlive: pingEvery,
      ...(token ? { connectionParams: { Authorization: `Bearer ${token}` } } : {}),
      retryAttempts: Infinity,
      shouldRetry: (event) => !(isClose(event) && event.code === sessionEnded),
      retryWait: (retries) => wait(Math.min(maxBackoff, 250 * 2 ** retries) * (0.75 + Math.random() / 2)),
      onNonLazyError: () => undefined,
      ...(WebSocket ? { webSocketImpl: WebSocket } : {}),
      on: {
        opened: (opened) => (socket = opened as WebSocket),
        connected: () => {
          this.state = 'live';
          this.#received();
        },
        message: () => this.#received(),
        ping: (received) => {
          if (!received) this.#pongTimer = setTimeout(() => socket?.close(4408, 'no pong'), pongTimeout);
        },
        pong: (received) => {
          if (received) this.#received();
        },
        closed: (event) => {
          clearTimeout(this.#pongTimer);
          this.state = 'lost';
          if (isClose(event) && event.code === sessionEnded) onsignedout();
        },
      },
    });
  }

  /** Calls ondata with a snapshot and after each change, until the returned function
   * is called. Calls onerror if the server rejects the subscription; internal
   * errors and unavailability are retried. */
  subscribe<Data, Variables>(
    document: TadaDocumentNode<Data, Variables>,
    variables: Variables,
    ondata: (data: Data) => void,
    onerror: (error: ApiError) => void = () => undefined,
  ): () => void {
    const payload = { query: print(document), variables: variables as Record<string, unknown> };
    let stop: () => void = () => undefined;
    let retry: ReturnType<typeof setTimeout> | undefined;
    const start = () => {
      stop = this.#client.subscribe<Data>(payload, {
        next: ({ data, errors }) => {
          if (errors?.[0]) onerror(asApiError(errors));
          else if (data) ondata(data);
        },
        error: (cause) => {
          const error = asApiError(cause);
          onerror(error);
          if (error.code === 'INTERNAL' || error.code === 'UNAVAILABLE')
            retry = setTimeout(start, resubscribeAfter);
        },
        complete: () => undefined,
      });
    };
    start();
    return () => {
      clearTimeout(retry);
      stop();
    };
  }

  close() {
    clearTimeout(this.#pongTimer);
    void this.#client.dispose();
  }

  #received() {
    clearTimeout(this.#pongTimer);
    this.asOf = Date.now();
  }
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const isClose = (event: unknown): event is CloseEvent =>
  typeof event === 'object' && event !== null && 'code' in event;

function asApiError(error: unknown): ApiError {
  const first = Array.isArray(error)
    ? (error[0] as { message: string; extensions?: { code?: unknown } })
    : undefined;
  if (!first) return new ApiError('The server rejected the live connection.', 'UNAVAILABLE');
  const code = first.extensions?.code;
  return new ApiError(first.message, typeof code === 'string' ? code : 'INTERNAL');
}
