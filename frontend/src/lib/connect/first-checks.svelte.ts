import { graphql, type ResultOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';

const groupDocument = graphql(`
  subscription ConnectListener($groupId: ID!) {
    groupChanged(groupId: $groupId) {
      asOf
      group {
        id
        numbers {
          total
        }
      }
    }
  }
`);

const arrivedQuery = graphql(`
  query ConnectArrived($groupId: ID!, $since: Time!) {
    instances(filter: { groupId: $groupId, seenAfter: $since }, first: 500) {
      nodes {
        id
        machineId
        alias
        version
        decision
        createdAt
        lastSeenAt
      }
    }
  }
`);

export type Arrival = ResultOf<typeof arrivedQuery>['instances']['nodes'][number];

/** Milliseconds between queries. A repeated check without news changes nothing in
 * the group, so the subscription does not report it. */
const pollEvery = 2000;

/** Milliseconds that queries overlap, so that no check between two is missed. Not
 * from the start, because a large group checks in constantly. */
const overlap = 5000;

/** Machines shown at most. */
const maxShown = 3;

const iso = (at: number) => new Date(at).toISOString();

/** Waits for the first check of a new machine in a group. Create it during component
 * initialisation. */
export class FirstChecks {
  /** Whether the start time on the server's clock is known. */
  listening = $state(false);
  machines = $state.raw<readonly Arrival[]>([]);
  /** Known machines of the group that checked in meanwhile. */
  others = $state.raw<readonly Arrival[]>([]);
  /** Number of machines in the group at the start. */
  before = $state(0);

  constructor(groupId: string) {
    $effect(() => {
      const asking = new AbortController();
      /** Start on the server's clock, in ms. */
      let began: number | null = null;
      /** Start on the page's clock, and the last query relative to it. */
      let start = 0;
      let looked = 0;
      let busy = false;
      const look = async () => {
        if (began === null || busy || this.machines.length > 0) return;
        busy = true;
        try {
          const from = began;
          const now = performance.now() - start;
          const since = iso(from + Math.max(0, looked - overlap));
          const { instances } = await session.ask(arrivedQuery, { groupId, since }, asking.signal);
          looked = now;
          const { nodes } = instances;
          const isNew = ({ createdAt }: Arrival) => Date.parse(createdAt) >= from;
          this.machines = nodes.filter(isNew).slice(0, maxShown);
          const others = nodes.filter((machine) => !isNew(machine));
          if (others.length > 0) this.others = others.slice(0, maxShown);
        } catch (error) {
          // The connection badge shows the error; the next query tries again.
          if (!asking.signal.aborted && !(error instanceof ApiError)) throw error;
        } finally {
          busy = false;
        }
      };
      const end = session.connection.subscribe(groupDocument, { groupId }, ({ groupChanged }) => {
        if (began === null) {
          began = Date.parse(groupChanged.asOf);
          start = performance.now();
          this.before = groupChanged.group?.numbers.total ?? 0;
          this.listening = true;
        } else void look();
      });
      const timer = setInterval(() => void look(), pollEvery);
      return () => {
        clearInterval(timer);
        asking.abort();
        end();
      };
    });
  }
}
