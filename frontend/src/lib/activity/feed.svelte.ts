import { graphql, type VariablesOf } from '$lib/api/graphql';
import type { Connection } from '$lib/api/connection.svelte';
import { HoldableList } from '$lib/ui/holdable-list.svelte';
import { activityFragment, type Activity } from './activity';

const document = graphql(
  `
    subscription ActivityFeed($filter: ActivityFilter) {
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

type Filter = VariablesOf<typeof document>['filter'];

/** Entries on the screen; the activity page shows older ones. */
const most = 50;

/** Live activity, newest first. */
export class ActivityFeed {
  readonly list = new HoldableList<Activity>((activity) => activity.id);
  /** Whether the first answer has arrived. */
  known = $state(false);

  constructor(connection: Connection, filter: () => Filter) {
    $effect(() => {
      let entries: readonly Activity[] = [];
      this.known = false;
      return connection.subscribe(document, { filter: filter() }, ({ activityAdded }) => {
        const { snapshot, activities } = activityAdded;
        entries = snapshot ? activities : [...activities, ...entries].slice(0, most);
        this.known = true;
        this.list.update(entries);
      });
    });
  }
}
