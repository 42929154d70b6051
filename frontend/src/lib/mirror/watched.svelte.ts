import type { Connection } from '$lib/api/connection.svelte';
import { graphql, type ResultOf } from '$lib/api/graphql';
import { Live } from '$lib/api/live.svelte';

const document = graphql(`
  subscription MirrorsWatched {
    upstreamsChanged {
      asOf
      upstreams {
        id
        enabled
        channels {
          id
          failingSince
          problem
        }
      }
    }
  }
`);

/** Whether mirrors fail. The only subscription to mirrors: what shows more of them reads it
 * again when `asOf` changes. */
class WatchedMirrors {
  #live = $state.raw<Live<ResultOf<typeof document>, object> | null>(null);

  /** Subscribes. Call it during the initialisation of a component that stays. */
  follow(connection: Connection) {
    this.#live = new Live(connection, document, () => ({}));
  }

  /** Channels that fail or do not follow their upstream. */
  get bad(): number {
    const mirrors = this.#live?.data?.upstreamsChanged.upstreams ?? [];
    return mirrors
      .filter(({ enabled }) => enabled)
      .flatMap(({ channels }) => channels)
      .filter(({ failingSince, problem }) => failingSince !== null || problem !== '').length;
  }

  /** Time of the last change; null before the first message. */
  get asOf(): string | null {
    return this.#live?.data?.upstreamsChanged.asOf ?? null;
  }
}

export const watchedMirrors = new WatchedMirrors();
