import { untrack } from 'svelte';
import { HoldableList } from '$lib/ui/holdable-list.svelte';
import { ApiError } from './request';

/** One page of a log, newest first. */
export interface LogPage<Entry> {
  nodes: readonly Entry[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** How a log is read. */
export interface LogSource<Entry, Filter> {
  /** Reads the page after a cursor; null reads the newest page. */
  read: (filter: Filter, after: string | null, signal: AbortSignal) => Promise<LogPage<Entry>>;
  /** Reports entries that were added since the newest page was read, newest first. An entry may be reported again.
   * `gap` says that there may be entries between the known ones and these. Returns its end. */
  follow: (filter: Filter, report: (added: readonly Entry[], gap?: boolean) => void) => () => void;
}

/** Live entries kept above the loaded pages. Beyond this the log reloads, so that
 * memory stays bounded. */
const maxNewer = 200;

/** A log of entries: live ones above, older pages below. Create it during component
 * initialisation. */
export class FollowedLog<Entry extends { id: string }, Filter> {
  /** Entries since the log was opened; can be held. */
  readonly newer = new HoldableList<Entry>((entry) => entry.id);
  /** Older entries loaded so far. */
  older = $state.raw<readonly Entry[]>([]);
  /** Whether the first page is loaded. */
  known = $state(false);
  /** Whether there are older entries. */
  more = $state(false);
  busy = $state(false);
  error = $state<string | null>(null);

  readonly #source: LogSource<Entry, Filter>;
  #filter: Filter;
  #cursor: string | null = null;
  #asking = new AbortController();
  #turn = $state(0);

  constructor(filter: () => Filter, source: LogSource<Entry, Filter>) {
    this.#source = source;
    this.#filter = untrack(filter);
    // Compared as text, so that an equal filter does not reload.
    const question = $derived(JSON.stringify(filter()));
    $effect(() => {
      void this.#turn;
      this.#filter = JSON.parse(question) as Filter;
      this.#asking = new AbortController();
      const { signal } = this.#asking;
      untrack(() => this.#begin());
      let end: () => void = () => undefined;
      void this.#read(signal).then((read) => {
        if (read) end = this.#follow();
      });
      return () => {
        this.#asking.abort();
        end();
      };
    });
  }

  /** All visible entries, newest first. */
  get entries(): readonly Entry[] {
    return [...this.newer.items, ...this.older];
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
      const { nodes, pageInfo } = await this.#source.read(this.#filter, this.#cursor, signal);
      if (signal.aborted) return false;
      this.older = [...this.older, ...nodes];
      this.#cursor = pageInfo.endCursor;
      this.more = pageInfo.hasNextPage;
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
    let newer: readonly Entry[] = [];
    return this.#source.follow(this.#filter, (reported, gap = false) => {
      const known = [...newer, ...this.older].map(({ id }) => id);
      const added = reported.filter(({ id }) => !known.includes(id));
      newer = [...added, ...newer];
      // After a long disconnect a report may begin after the known entries.
      const missed = gap && known.length > 0 && added.length > 0 && added.length === reported.length;
      if (missed || newer.length > maxNewer) this.#turn++;
      else this.newer.update(newer);
    });
  }
}
