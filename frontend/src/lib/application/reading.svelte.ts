import type { TadaDocumentNode } from 'gql.tada';
import { untrack } from 'svelte';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/session/session.svelte';

interface Options {
  /** What the answer depends on besides the variables, such as a revision. */
  version?: () => unknown;
  /** Milliseconds the variables must be still before they are asked: for what
   * is read while somebody types. */
  settle?: number;
}

/** The answer to a question, asked again when its variables or `version` change:
 * configuration is read so, because the server tells when it changed. What was
 * read stays on the screen until the next answer is there. Make it while a
 * component is being set up. */
export class Reading<Data, Variables> {
  #data = $state.raw<Data | null>(null);
  #error = $state.raw<ApiError | null>(null);
  #current = $state(false);
  #turn = $state(0);

  constructor(
    document: TadaDocumentNode<Data, Variables>,
    /** Null: nothing is asked now. */
    variables: () => Variables | null,
    { version = () => null, settle = 0 }: Options = {},
  ) {
    const key = $derived(JSON.stringify([variables(), version(), this.#turn]));
    $effect(() => {
      void key;
      const wanted = untrack(variables);
      this.#current = false;
      if (wanted === null) return;
      const asking = new AbortController();
      const timer = setTimeout(() => void this.#ask(document, wanted, asking.signal), settle);
      return () => {
        clearTimeout(timer);
        asking.abort();
      };
    });
  }

  async #ask(document: TadaDocumentNode<Data, Variables>, wanted: Variables, signal: AbortSignal) {
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

  /** Null until the first answer has come. */
  get data(): Data | null {
    return this.#data;
  }

  get error(): ApiError | null {
    return this.#error;
  }

  /** Whether data and error belong to the variables as they are now. */
  get current(): boolean {
    return this.#current;
  }

  /** Asks once more. */
  again() {
    this.#turn++;
  }
}
