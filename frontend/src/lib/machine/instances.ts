import { graphql, type ResultOf, type VariablesOf } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';
import type { Page } from '$lib/ui/paged-rows.svelte';

const instancesQuery = graphql(`
  query Instances(
    $filter: InstanceFilter
    $first: Int!
    $after: String
    $orderBy: InstanceOrder
    $counted: Boolean!
  ) {
    instances(filter: $filter, first: $first, after: $after, orderBy: $orderBy) {
      nodes {
        id
        machineId
        alias
        address
        oem
        version
        state
        countedAs
        reason
        override {
          kind
        }
        decision
        decisionUntil
        lastSeenAt
        grant {
          version
          leaseExpiresAt
        }
        application {
          id
          name
        }
        group {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount @include(if: $counted)
      totalCountIsExact @include(if: $counted)
    }
  }
`);

type Connection = ResultOf<typeof instancesQuery>['instances'];
type Variables = VariablesOf<typeof instancesQuery>;

/** The fields of a row. */
export type InstanceRow = Connection['nodes'][number];
export type InstanceFilter = NonNullable<Variables['filter']>;
export type CountedAs = NonNullable<InstanceFilter['countedAs']>[number];
export type InstanceOrder = NonNullable<Variables['orderBy']>;

/** Number of matching machines; a lower bound if not exact. */
export interface Total {
  count: number;
  exact: boolean;
}

/** Machines per request. */
export const pageSize = 100;

/** Loads a page of machines and, if `counted`, the total. */
export async function readInstances(
  filter: InstanceFilter,
  orderBy: InstanceOrder | null,
  after: string | null,
  counted: boolean,
  signal: AbortSignal,
): Promise<Page<InstanceRow> & { total: Total | null }> {
  const { instances } = await session.ask(
    instancesQuery,
    { filter, first: pageSize, after, orderBy, counted },
    signal,
  );
  const { nodes, pageInfo, totalCount, totalCountIsExact } = instances;
  return {
    rows: nodes,
    next: pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null,
    total: totalCount === undefined ? null : { count: totalCount, exact: totalCountIsExact ?? false },
  };
}
