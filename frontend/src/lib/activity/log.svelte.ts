import { untrack } from 'svelte';
import { graphql, type VariablesOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';
import { HoldableList } from '$lib/ui/holdable-list.svelte';
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

/** Live entries kept above the loaded pages. Beyond this the log reloads, so that
 * memory stays bounded. */
const maxNewer = 200;

/** The activity log: live entries above, older pages below. Create it during
 * component initialisation. */
export class ActivityLog {
  /** Entries since the log was opened; can be held. */
  readonly newer = new HoldableList<Activity>((activity) => activity.id);
  /** Older entries loaded so far. */
  older = $state.raw<readonly Activity[]>([]);
  /** Whether the first page is loaded. */
  known = $state(false);
  /** Whether there are older entries. */
  more = $state(false);
  busy = $state(false);
  error = $state<string | null>(null);

  #filter: ActivityFilter = {};
  #cursor: string | null = null;
  #asking = new AbortController();
  #turn = $state(0);

  constructor(filter: () => ActivityFilter) {
    // Compared as text, so that an equal filter does not reload.
    const question = $derived(JSON.stringify(filter()));
    $effect(() => {
      void this.#turn;
      this.#filter = JSON.parse(question) as ActivityFilter;
      this.#asking = new AbortController();
      untrack(() => this.#begin());
      let end: () => void = () => undefined;
      void this.#read(this.#asking.signal).then((read) => {
        if (read) end = this.#follow();
      });
      return () => {
        this.#asking.abort();
        end();
      };
    });
  }

  /** Loads the next older page. */
  async readOlder() {
    if (!this.busy) await this.#read(this.#asking.signal);
  }

  #begin() {
    this.#cursor = null;
    this.known = false;
    this.more = false;
    this.older = [];
    this.newer.update([]);
    this.newer.catchUp();
  }

  /** Returns whether a page was loaded. */
  async #read(signal: AbortSignal): Promise<boolean> {
    this.busy = true;
    try {
      const variables = { filter: this.#filter, after: this.#cursor };
      const { activities } = await session.ask(pageQuery, variables, signal);
      this.older = [...this.older, ...activities.nodes];
      this.#cursor = activities.pageInfo.endCursor;
      this.more = activities.pageInfo.hasNextPage;
      this.known = true;
      this.error = null;
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof ApiError)) throw error;
      this.error = error.message;
      return false;
    } finally {
      if (!signal.aborted) this.busy = false;
    }
  }

  #follow(): () => void {
    let newer: readonly Activity[] = [];
    return session.connection.subscribe(
      addedDocument,
      { filter: this.#filter },
      ({ activityAdded: { snapshot, activities } }) => {
        const known = [...newer, ...this.older].map(({ id }) => id);
        const added = activities.filter(({ id }) => !known.includes(id));
        // After a long disconnect the snapshot may begin after the known entries.
        const gap = snapshot && known.length > 0 && added.length > 0 && added.length === activities.length;
        newer = [...added, ...newer];
        if (gap || newer.length > maxNewer) this.#turn++;
        else this.newer.update(newer);
      },
    );
  }
}
