import { graphql, type ResultOf, type VariablesOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/session/session.svelte';
import { SteadyList } from '$lib/ui/steady-list.svelte';

const instancesQuery = graphql(`
  query Instances($filter: InstanceFilter, $first: Int!, $after: String) {
    instances(filter: $filter, first: $first, after: $after) {
      nodes {
        id
        machineId
        alias
        address
        oem
        version
        state
        standing
        reason
        lastSeenAt
        grant {
          version
          leaseUntil
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
      totalIsExact
    }
  }
`);

type Connection = ResultOf<typeof instancesQuery>['instances'];

/** As much of a machine as a row shows. */
export type InstanceRow = Connection['nodes'][number];
export type InstanceFilter = NonNullable<VariablesOf<typeof instancesQuery>['filter']>;

export interface Question {
  filter: InstanceFilter;
  /** Cursor; null for the first page. */
  after: string | null;
}

/** Machines on a page. */
const pageSize = 25;

/** Milliseconds between two readings, however fast the group changes. */
const readEvery = 1500;

/** One page of a filtered list of machines. It is read again, not too often,
 * when `changed` has another value. Make it while a component is being set up. */
export class InstancePage {
  readonly list = new SteadyList<InstanceRow>((row) => row.id);
  /** Null until what was asked for last has been answered. */
  answer = $state.raw<Connection | null>(null);
  error = $state.raw<ApiError | null>(null);

  constructor(asked: () => Question, changed: () => unknown) {
    // Compared as text: a new object with the same filter is no new question.
    const question = $derived(JSON.stringify(asked()));
    let stale = false;
    $effect(() => {
      changed();
      stale = true;
    });
    $effect(() => {
      const { filter, after } = JSON.parse(question) as Question;
      const asking = new AbortController();
      let busy = false;
      let first = true;
      const read = async () => {
        busy = true;
        stale = false;
        try {
          const { instances } = await session.ask(
            instancesQuery,
            { filter, first: pageSize, after },
            asking.signal,
          );
          this.answer = instances;
          this.error = null;
          this.list.update(instances.nodes);
          // Whoever asked for another list wants it, held or not.
          if (first) this.list.catchUp();
          first = false;
        } catch (error) {
          if (asking.signal.aborted) return;
          if (!(error instanceof ApiError)) throw error;
          this.error = error;
        } finally {
          busy = false;
        }
      };
      this.answer = null;
      void read();
      const timer = setInterval(() => {
        if (stale && !busy) void read();
      }, readEvery);
      return () => {
        clearInterval(timer);
        asking.abort();
      };
    });
  }
}
