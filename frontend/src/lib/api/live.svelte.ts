import type { TadaDocumentNode } from 'gql.tada';
import type { Connection } from './connection.svelte';
import type { ApiError } from './request';

/** The present state of something the server keeps telling about. Make it while
 * a component is being set up: it ends with the component and begins anew when
 * its variables change. What was known stays on the screen during a break. */
export class Live<Data, Variables> {
  #data = $state.raw<Data | null>(null);
  #error = $state.raw<ApiError | null>(null);

  constructor(
    connection: Connection,
    document: TadaDocumentNode<Data, Variables>,
    variables: () => Variables,
  ) {
    let asked = '';
    $effect(() => {
      const wanted = variables();
      const key = JSON.stringify(wanted);
      if (key !== asked) this.#data = null;
      asked = key;
      this.#error = null;
      return connection.subscribe(
        document,
        wanted,
        (data) => {
          this.#data = data;
          this.#error = null;
        },
        (error) => (this.#error = error),
      );
    });
  }

  /** Null until the first snapshot has come. */
  get data(): Data | null {
    return this.#data;
  }

  /** Why nothing comes; null as long as it does. */
  get error(): ApiError | null {
    return this.#error;
  }
}
