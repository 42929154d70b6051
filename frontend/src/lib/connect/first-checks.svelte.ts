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

/** A machine that asks again says nothing new, so the group does not change: it
 * is looked for this often, in ms. */
const lookEvery = 2000;

/** How far a look reaches back behind the one before, in ms: an answer takes a
 * while. Not to the beginning, because a large group asks all the time. */
const overlap = 5000;

/** Machines that are named of those that asked. */
const most = 3;

const iso = (at: number) => new Date(at).toISOString();

/** Listens until a machine of a group asks that never did before. Make it while a component is being
 * set up. */
export class FirstChecks {
  /** Whether the server was heard and the moment is known from which it counts. */
  listening = $state(false);
  machines = $state.raw<readonly Arrival[]>([]);
  /** Others of the group, which asked meanwhile as they always do. */
  others = $state.raw<readonly Arrival[]>([]);
  /** Machines that were in the group before. */
  before = $state(0);

  constructor(groupId: string) {
    $effect(() => {
      const asking = new AbortController();
      /** The server's clock, in ms, when it was heard first. */
      let began: number | null = null;
      /** That moment on the page's clock, and the last look behind it. */
      let heard = 0;
      let looked = 0;
      let busy = false;
      const look = async () => {
        if (began === null || busy || this.machines.length > 0) return;
        busy = true;
        try {
          const from = began;
          const now = performance.now() - heard;
          const since = iso(from + Math.max(0, looked - overlap));
          const { instances } = await session.ask(arrivedQuery, { groupId, since }, asking.signal);
          looked = now;
          const { nodes } = instances;
          const isNew = ({ createdAt }: Arrival) => Date.parse(createdAt) >= from;
          this.machines = nodes.filter(isNew).slice(0, most);
          const others = nodes.filter((machine) => !isNew(machine));
          if (others.length > 0) this.others = others.slice(0, most);
        } catch (error) {
          // The connection badge says what is wrong; it is asked again.
          if (!asking.signal.aborted && !(error instanceof ApiError)) throw error;
        } finally {
          busy = false;
        }
      };
      const end = session.connection.subscribe(groupDocument, { groupId }, ({ groupChanged }) => {
        if (began === null) {
          began = Date.parse(groupChanged.asOf);
          heard = performance.now();
          this.before = groupChanged.group?.numbers.total ?? 0;
          this.listening = true;
        } else void look();
      });
      const timer = setInterval(() => void look(), lookEvery);
      return () => {
        clearInterval(timer);
        asking.abort();
        end();
      };
    });
  }
}
