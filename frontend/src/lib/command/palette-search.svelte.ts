import { graphql, type ResultOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';

/** Loaded when the palette opens: everything except machines and packages. */
const knownQuery = graphql(`
  query PaletteKnown($groupId: ID!, $onGroup: Boolean!) {
    applications {
      id
      name
      productId
      channels {
        id
        name
        arch
        package {
          version
        }
      }
      groups {
        id
        name
        track
        state
      }
    }
    group(id: $groupId) @include(if: $onGroup) {
      id
      name
      state
      permissions
      application {
        id
      }
      rollout {
        currentWave
        newcomers {
          failing
        }
        waves {
          position
        }
      }
    }
  }
`);

const machinesQuery = graphql(`
  query PaletteMachines($search: String!) {
    instances(filter: { search: $search }, first: 8) {
      nodes {
        id
        machineId
        alias
        address
        application {
          id
          name
        }
      }
    }
  }
`);

const packagesQuery = graphql(`
  query PalettePackages($version: String!) {
    applications {
      id
      name
      packages(filter: { version: $version }, first: 4) {
        nodes {
          id
          version
          arch
        }
      }
    }
  }
`);

export type Known = ResultOf<typeof knownQuery>;
type Machine = ResultOf<typeof machinesQuery>['instances']['nodes'][number];
type Packages = ResultOf<typeof packagesQuery>['applications'][number];

/** Milliseconds without input before the server is searched. */
const debounce = 150;

/** Server-side search of the palette. Create it during component initialisation. */
export class PaletteSearch {
  known = $state.raw<Known | null>(null);
  machines = $state.raw<readonly Machine[]>([]);
  packages = $state.raw<readonly Packages[]>([]);
  /** Whether a search is running. */
  busy = $state(false);
  error = $state<string | null>(null);

  constructor(groupId: string | null, typed: () => string) {
    $effect(() => {
      const asking = new AbortController();
      void this.#ask(async () => {
        const variables = { groupId: groupId ?? '', onGroup: groupId !== null };
        this.known = await session.ask(knownQuery, variables, asking.signal);
      }, asking.signal);
      return () => asking.abort();
    });
    const search = $derived(typed().trim());
    $effect(() => {
      const text = search;
      this.machines = [];
      this.packages = [];
      const worthIt = text.length > 1;
      this.busy = worthIt;
      if (!worthIt) return;
      const asking = new AbortController();
      const timer = setTimeout(() => void this.#find(text, asking.signal), debounce);
      return () => {
        clearTimeout(timer);
        asking.abort();
      };
    });
  }

  async #find(text: string, signal: AbortSignal) {
    await this.#ask(async () => {
      const [{ instances }, packages] = await Promise.all([
        session.ask(machinesQuery, { search: text }, signal),
        // Versions begin with a digit.
        /^\d/.test(text) ? session.ask(packagesQuery, { version: text }, signal) : null,
      ]);
      this.machines = instances.nodes;
      this.packages = packages?.applications ?? [];
    }, signal);
    if (!signal.aborted) this.busy = false;
  }

  async #ask(read: () => Promise<void>, signal: AbortSignal) {
    try {
      this.error = null;
      await read();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.error = error.message;
    }
  }
}
