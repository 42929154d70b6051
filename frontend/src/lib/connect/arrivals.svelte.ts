import { graphql, type ResultOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/session/session.svelte';

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
    instances(filter: { groupId: $groupId, seenAfter: $since }, first: 3) {
      nodes {
        id
        machineId
        alias
        version
        decision
        lastSeenAt
      }
    }
  }
`);

export type Arrival = ResultOf<typeof arrivedQuery>['instances']['nodes'][number];

/** A machine that asks again says nothing new, so the group does not change: it
 * is looked for this often, in ms. */
const lookEvery = 2000;

/** Listens until a machine of a group asks. Make it while a component is being
 * set up. */
export class Arrivals {
  /** Whether the server was heard and the moment is known from which it counts. */
  listening = $state(false);
  machines = $state.raw<readonly Arrival[]>([]);
  /** Machines that were in the group before. */
  before = $state(0);

  constructor(groupId: string) {
    $effect(() => {
      const asking = new AbortController();
      let since: string | null = null;
      let busy = false;
      const look = async () => {
        if (since === null || busy || this.machines.length > 0) return;
        busy = true;
        try {
          const { instances } = await session.ask(arrivedQuery, { groupId, since }, asking.signal);
          this.machines = instances.nodes;
        } catch (error) {
          // The connection badge says what is wrong; it is asked again.
          if (!asking.signal.aborted && !(error instanceof ApiError)) throw error;
        } finally {
          busy = false;
        }
      };
      const end = session.connection.subscribe(groupDocument, { groupId }, ({ groupChanged }) => {
        if (since === null) {
          since = groupChanged.asOf;
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
