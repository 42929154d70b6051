import type { TadaDocumentNode } from 'gql.tada';
import { session } from '$lib/session/session.svelte';
import { ApiError } from './request';

/** The answer to a question that is asked once for each value of its variables,
 * every so often, or again on demand. Make it while a component is being set up.
 * What was known stays on the screen while it is asked again. */
export class Asked<Data, Variables> {
  #data = $state.raw<Data | null>(null);
  #error = $state.raw<ApiError | null>(null);
  #turn = $state(0);

  constructor(
    document: TadaDocumentNode<Data, Variables>,
    variables: () => Variables,
    /** In ms; 0 asks once. */
    every = 0,
  ) {
    let before = '';
    $effect(() => {
      const wanted = variables();
      void this.#turn;
      const key = JSON.stringify(wanted);
      if (key !== before) this.#data = null;
      before = key;
      const asking = new AbortController();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const ask = async () => {
        try {
          this.#data = await session.ask(document, wanted, asking.signal);
          this.#error = null;
        } catch (error) {
          if (asking.signal.aborted) return;
          if (!(error instanceof ApiError)) throw error;
          this.#error = error;
        }
        if (every > 0 && !asking.signal.aborted) timer = setTimeout(() => void ask(), every);
      };
      void ask();
      return () => {
        clearTimeout(timer);
        asking.abort();
      };
    });
  }

  /** Null until the first answer has come. */
  get data(): Data | null {
    return this.#data;
  }

  /** Why there is no answer, or none since the last one. */
  get error(): ApiError | null {
    return this.#error;
  }

  again() {
    this.#turn++;
  }
}
