import { untrack } from 'svelte';
import { graphql, type ResultOf } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';
import type { JobResult } from '$lib/machine/bulk';
import { PagedRows } from '$lib/ui/paged-rows.svelte';

const itemsQuery = graphql(`
  query JobItems($id: ID!, $result: MachineJobResult, $first: Int!, $after: String) {
    machineJob(id: $id) {
      items(result: $result, first: $first, after: $after) {
        nodes {
          instanceId
          applicationId
          machineId
          instance {
            alias
          }
          result
          detail
          endedAt
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`);

export type JobItem = NonNullable<ResultOf<typeof itemsQuery>['machineJob']>['items']['nodes'][number];

/** Machines per request. */
const pageSize = 100;
/** Milliseconds between two reloads while the job progresses. */
const reloadEvery = 1000;

/** The machines of a job, live. Create it during component initialisation. */
export class JobItems {
  readonly rows = new PagedRows<JobItem>((item) => item.instanceId, pageSize);

  /** `changed` returns a new value whenever results may have changed. */
  constructor(id: () => string, result: () => JobResult | null, changed: () => unknown) {
    let stale = false;
    $effect(() => {
      const asked = { id: id(), result: result(), first: pageSize };
      untrack(() =>
        this.rows.start(async (after, signal) => {
          const { machineJob } = await session.ask(itemsQuery, { ...asked, after }, signal);
          if (!machineJob) return { rows: [], next: null };
          const { nodes, pageInfo } = machineJob.items;
          return { rows: nodes, next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null };
        }),
      );
      return () => this.rows.stop();
    });
    $effect(() => {
      changed();
      stale = true;
    });
    $effect(() => {
      const timer = setInterval(() => {
        if (document.hidden || !(this.rows.ready || this.rows.error)) return;
        if (!stale && !this.rows.error) return;
        stale = false;
        this.rows.refresh();
      }, reloadEvery);
      return () => clearInterval(timer);
    });
  }
}
