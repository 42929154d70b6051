import { graphql, type ResultOf } from '$lib/api/graphql';
import { Query } from '$lib/api/query.svelte';

const document = graphql(`
  query PackageFetches {
    fetches {
      packageId
      name
      url
      by
      startedAt
      endedAt
      received
      total
      error
    }
  }
`);

export type Fetch = ResultOf<typeof document>['fetches'][number];

const every = 1_000;

/** What the server fetches for a package. It is asked for only while something runs. */
export class Fetches {
  readonly #query: Query<ResultOf<typeof document>, Record<string, never>>;
  readonly #packageId: () => string;
  #watching = $state(true);
  #dismissed = $state.raw<readonly string[]>([]);

  constructor(packageId: () => string) {
    this.#packageId = packageId;
    this.#query = new Query(document, () => (this.#watching ? {} : null), { every });
    $effect(() => {
      // Earlier data stays when nothing is asked for any more.
      if (this.#query.current && this.all.every(({ endedAt }) => endedAt !== null)) this.#watching = false;
    });
  }

  /** The newest first. */
  get all(): readonly Fetch[] {
    return (this.#query.data?.fetches ?? []).filter(
      (one) => one.packageId === this.#packageId() && !this.#dismissed.includes(keyOf(one)),
    );
  }

  /** A fetch has begun. */
  watch() {
    this.#watching = true;
  }

  /** Hides a fetch that ended. */
  dismiss(fetch: Fetch) {
    this.#dismissed = [...this.#dismissed, keyOf(fetch)];
  }
}

const keyOf = ({ name, startedAt }: Fetch) => `${startedAt} ${name}`;
