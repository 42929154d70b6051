import type { TadaDocumentNode } from 'gql.tada';
import { untrack } from 'svelte';
import { ApiError } from './request';
import { session } from './session.svelte';

interface Options {
  /** Repeats the request this many milliseconds after each answer; 0 never. */
  every?: number;
  /** Any value the answer depends on besides the variables, such as a revision. */
  version?: () => unknown;
  /** Milliseconds without a change of the variables before the request is sent,
   * for variables that change while the user types. */
  debounce?: number;
}

/** Milliseconds after which a query that could not reach the server is repeated on a live
 * connection. */
const healAfter = 1_000;

/** The answer to a GraphQL query. The query is repeated when its variables or
 * `version` change, and when the connection is back after a failure. Earlier data stays available until the next answer. Create
 * it during component initialisation. */
export class Query<Data, Variables> {
  #data = $state.raw<Data | null>(null);
  #error = $state.raw<ApiError | null>(null);
  #current = $state(false);
  #turn = $state(0);

  constructor(
    document: TadaDocumentNode<Data, Variables>,
    /** Null sends no request. */
    variables: () => Variables | null,
    { every = 0, version = () => null, debounce = 0 }: Options = {},
  ) {
    // A function, because a plain $derived in a constructor reads private state only once.
    const key = $derived.by(() => JSON.stringify([variables(), version(), this.#turn]));
    $effect(() => {
      void key;
      const wanted = untrack(variables);
      this.#current = false;
      if (wanted === null) return;
      const request = new AbortController();
      let timer: ReturnType<typeof setTimeout>;
      const run = async () => {
        await this.#fetch(document, wanted, request.signal);
        if (every > 0 && !request.signal.aborted) timer = setTimeout(() => void run(), every);
      };
      timer = setTimeout(() => void run(), debounce);
      return () => {
        clearTimeout(timer);
        request.abort();
      };
    });
    $effect(() => {
      if (this.#error?.code !== 'OFFLINE' || session.connectionState !== 'live') return;
      const timer = setTimeout(() => this.refetch(), healAfter);
      return () => clearTimeout(timer);
    });
  }

  async #fetch(document: TadaDocumentNode<Data, Variables>, wanted: Variables, signal: AbortSignal) {
    try {
      const data = await session.ask(document, wanted, signal);
      if (signal.aborted) return;
      this.#data = data;
      this.#error = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.#error = error;
    }
    this.#current = true;
  }

  /** Null until the first answer. */
  get data(): Data | null {
    return this.#data;
  }

  /** Why the last request failed; null after a success. */
  get error(): ApiError | null {
    return this.#error;
  }

  /** Whether data and error belong to the present variables. */
  get current(): boolean {
    return this.#current;
  }

  refetch() {
    this.#turn++;
  }
}
