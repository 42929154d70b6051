import type { Connection } from '$lib/api/connection.svelte';
import { graphql, type ResultOf } from '$lib/api/graphql';
import { Live } from '$lib/api/live.svelte';

const document = graphql(`
  subscription OpenProposals {
    proposalsChanged {
      asOf
      open
    }
  }
`);

/** How many proposals wait for a decision. The only subscription to proposals: what shows
 * more of them reads it again when `asOf` changes. */
class OpenProposals {
  #live = $state.raw<Live<ResultOf<typeof document>, object> | null>(null);
  /** The proposal that the user made last, until its notice is closed. */
  made = $state.raw<{ id: string; summary: string } | null>(null);

  /** Subscribes. Call it during the initialisation of a component that stays. */
  follow(connection: Connection) {
    this.made = null;
    this.#live = new Live(connection, document, () => ({}));
  }

  get count(): number {
    return this.#live?.data?.proposalsChanged.open ?? 0;
  }

  /** Time of the last change; null before the first message. */
  get asOf(): string | null {
    return this.#live?.data?.proposalsChanged.asOf ?? null;
  }
}

export const openProposals = new OpenProposals();
