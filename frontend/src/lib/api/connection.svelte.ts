import { print } from '@0no-co/graphql.web';
import type { TadaDocumentNode } from 'gql.tada';
import { createClient, type Client } from 'graphql-ws';
import { ApiError } from './request';

/** How much the numbers on the screen can be trusted. */
export type ConnectionState = 'connecting' | 'live' | 'lost';

/** Milliseconds. A healthy server is heard at least every pingEvery; one that
 * does not answer a ping within pongWithin is taken for gone. */
const pingEvery = 10_000;
const pongWithin = 5_000;
const longestWait = 4_000;
const askAgain = 5_000;

/** The close code by which the server says that the session has ended. */
const signInAgain = 4401;

interface Options {
  url: string;
  /** The server no longer accepts this session. */
  onsignedout: () => void;
  /** For tests. */
  WebSocket?: unknown;
}

/** The one websocket of this tab. It reconnects for ever; every subscription
 * is then made again and begins with a snapshot, so nothing missed stays
 * missed. */
export class Connection {
  state = $state<ConnectionState>('connecting');
  /** When the server was last heard, in ms since 1970; null until the first time. */
  asOf = $state<number | null>(null);

  readonly #client: Client;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor({ url, onsignedout, WebSocket }: Options) {
    let socket: WebSocket | undefined;
    this.#client = createClient({
      url,
      lazy: false,
      keepAlive: pingEvery,
      retryAttempts: Infinity,
      shouldRetry: (event) => !(isClose(event) && event.code === signInAgain),
      retryWait: (retries) => wait(Math.min(longestWait, 250 * 2 ** retries) * (0.75 + Math.random() / 2)),
      onNonLazyError: () => undefined,
      ...(WebSocket ? { webSocketImpl: WebSocket } : {}),
      on: {
        opened: (opened) => (socket = opened as WebSocket),
        connected: () => {
          this.state = 'live';
          this.#heard();
        },
        message: () => this.#heard(),
        ping: (received) => {
          if (!received) this.#silence = setTimeout(() => socket?.close(4408, 'no pong'), pongWithin);
        },
        pong: (received) => {
          if (received) this.#heard();
        },
        closed: (event) => {
          clearTimeout(this.#silence);
          this.state = 'lost';
          if (isClose(event) && event.code === signInAgain) onsignedout();
        },
      },
    });
  }

  /** Calls ondata with a snapshot and after every change, until the returned
   * function is called. onerror says why nothing comes; when the fault is the
   * server's, the same is asked again after a while. */
  subscribe<Data, Variables>(
    document: TadaDocumentNode<Data, Variables>,
    variables: Variables,
    ondata: (data: Data) => void,
    onerror: (error: ApiError) => void = () => undefined,
  ): () => void {
    const question = { query: print(document), variables: variables as Record<string, unknown> };
    let stop: () => void = () => undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    const ask = () => {
      stop = this.#client.subscribe<Data>(question, {
        next: ({ data, errors }) => {
          if (errors?.[0]) onerror(asApiError(errors));
          else if (data) ondata(data);
        },
        error: (refused) => {
          const error = asApiError(refused);
          onerror(error);
          if (error.code === 'INTERNAL' || error.code === 'UNAVAILABLE') again = setTimeout(ask, askAgain);
        },
        complete: () => undefined,
      });
    };
    ask();
    return () => {
      clearTimeout(again);
      stop();
    };
  }

  close() {
    clearTimeout(this.#silence);
    void this.#client.dispose();
  }

  #heard() {
    clearTimeout(this.#silence);
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
  if (!first) return new ApiError('The live connection was refused.', 'UNAVAILABLE');
  const code = first.extensions?.code;
  return new ApiError(first.message, typeof code === 'string' ? code : 'INTERNAL');
}
