import { graphql, type VariablesOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';
import { auditFragment, type Audit } from './entry';

const auditsQuery = graphql(
  `
    query Audits($filter: AuditFilter, $after: String) {
      audits(filter: $filter, first: 50, after: $after) {
        nodes {
          ...AuditEntry
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [auditFragment],
);

export type AuditFilter = NonNullable<VariablesOf<typeof auditsQuery>['filter']>;

/** The pages of the audit loaded so far, newest first. Create it during component
 * initialisation. */
export class AuditPages {
  /** Null before the first page is loaded. */
  entries = $state.raw<readonly Audit[] | null>(null);
  more = $state(false);
  busy = $state(false);
  error = $state<string | null>(null);

  #filter: AuditFilter = {};
  #cursor: string | null = null;
  #asking = new AbortController();

  constructor(filter: () => AuditFilter) {
    // Compared as text, so that an equal filter does not reload.
    const question = $derived(JSON.stringify(filter()));
    $effect(() => {
      this.#filter = JSON.parse(question) as AuditFilter;
      this.#asking = new AbortController();
      this.#cursor = null;
      this.entries = null;
      void this.#read(this.#asking.signal);
      return () => this.#asking.abort();
    });
  }

  async readOlder() {
    if (!this.busy) await this.#read(this.#asking.signal);
  }

  async #read(signal: AbortSignal) {
    this.busy = true;
    try {
      const variables = { filter: this.#filter, after: this.#cursor };
      const { audits } = await session.ask(auditsQuery, variables, signal);
      this.entries = [...(this.entries ?? []), ...audits.nodes];
      this.#cursor = audits.pageInfo.endCursor;
      this.more = audits.pageInfo.hasNextPage;
      this.error = null;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.error = error.message;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }
}
