import { FollowedLog } from '$lib/api/followed-log.svelte';
import { graphql, type VariablesOf } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';
import { activityFragment, type Activity } from './activity';

const pageQuery = graphql(
  `
    query ActivityPage($filter: ActivityFilter, $after: String) {
      activities(filter: $filter, first: 50, after: $after) {
        nodes {
          ...ActivityLine
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  `,
  [activityFragment],
);

const addedDocument = graphql(
  `
    subscription ActivityLog($filter: ActivityFilter) {
      activityAdded(filter: $filter) {
        snapshot
        activities {
          ...ActivityLine
        }
      }
    }
  `,
  [activityFragment],
);

export type ActivityFilter = NonNullable<VariablesOf<typeof pageQuery>['filter']>;

/** The live activity log. Create it during component initialisation. */
export const activityLog = (filter: () => ActivityFilter) =>
  new FollowedLog<Activity, ActivityFilter>(filter, {
    read: async (filter, after, signal) =>
      (await session.ask(pageQuery, { filter, after }, signal)).activities,
    follow: (filter, report) =>
      session.connection.subscribe(addedDocument, { filter }, ({ activityAdded: { snapshot, activities } }) =>
        report(activities, snapshot),
      ),
  });
