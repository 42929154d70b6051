import type { TadaDocumentNode } from 'gql.tada';
import type { Connection } from './connection.svelte';
import type { ApiError } from './request';

/** The latest data of a subscription. It ends with its component and restarts when
 * its variables change. While the connection is lost, the last data stays
 * available. Create it during component initialisation. */
export class Live<Data, Variables> {
  #data = $state.raw<Data | null>(null);
  #error = $state.raw<ApiError | null>(null);

  constructor(
    connection: Connection,
    document: TadaDocumentNode<Data, Variables>,
    variables: () => Variables,
  ) {
    let lastKey = '';
    $effect(() => {
      const wanted = variables();
      const key = JSON.stringify(wanted);
      if (key !== lastKey) this.#data = null;
      lastKey = key;
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

  /** Null before the first snapshot. */
  get data(): Data | null {
    return this.#data;
  }

  /** Why there is no new data; null while the subscription works. */
  get error(): ApiError | null {
    return this.#error;
  }
}
