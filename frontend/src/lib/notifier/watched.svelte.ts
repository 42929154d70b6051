import { untrack } from 'svelte';
import { graphql } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';

const document = graphql(`
  subscription NotifiersWatched {
    notifiersChanged {
      asOf
    }
  }
`);

/** When notifiers or their messages last changed: what shows them reads them again when
 * `asOf` changes. Create it during component initialisation. */
export class WatchedNotifiers {
  #asOf = $state<string | null>(null);

  constructor(
    /** False for users who may not read notifiers. */
    wanted: () => boolean,
  ) {
    $effect(() => {
      if (!wanted() || untrack(() => session.connectionState) === null) return;
      return session.connection.subscribe(
        document,
        {},
        ({ notifiersChanged }) => (this.#asOf = notifiersChanged.asOf),
        () => (this.#asOf = null), // the pages also read again by themselves
      );
    });
  }

  /** Null before the first message. */
  get asOf(): string | null {
    return this.#asOf;
  }
}

/** Milliseconds after which the pages of notifiers are read again without a change: the counts
 * are of the last 24 hours. */
export const reloadNotifiersEvery = 60_000;
