/* eslint-disable svelte/prefer-svelte-reactivity -- pages are replaced as a whole, never changed */

import { holdWhileUsed } from './interaction-hold';

/** One page of a list with cursors. */
export interface Page<Row> {
  rows: readonly Row[];
  /** Cursor of the next page; null on the last page. */
  next: string | null;
}

/** Reads the page after a cursor; null reads the first page. */
export type ReadPage<Row> = (after: string | null, signal: AbortSignal) => Promise<Page<Row>>;

interface Kept<Row> {
  rows: readonly Row[];
  /** Keys of rows that left the list and stay visible until the list is released. */
  gone: ReadonlySet<string>;
  /** Reload when it comes into view. */
  stale: boolean;
}

/** Pages in memory; those farthest from the visible rows are dropped first. */
const maxPages = 8;

/** A long list of which only the visible part is loaded. Pages are loaded one at a
 * time as they come into view, dropped when they are far away, and reloaded when
 * the list changes. While the list is held, rows are updated in place; rows that
 * came, left or moved wait until it is released. */
export class PagedRows<Row> {
  #pages = $state.raw<ReadonlyMap<number, Kept<Row>>>(new Map());
  #count = $state(0);
  #error = $state.raw<Error | null>(null);
  #behind = $state(false);
  #ready = $state(false);

  /** The start of each known page. The last page is not loaded yet unless `#ending`
   * is set. */
  #cursors: (string | null)[] = [null];
  /** Rows of the last page; null before the end of the list was loaded. */
  #ending: number | null = null;
  #first = 0;
  #last = 0;
  #read: ReadPage<Row> | null = null;
  #asking = new AbortController();
  #reader: AbortController | null = null;
  #starting = false;
  /** Whether this load may move held rows. */
  #forced = false;
  readonly #holds = new Set<string>();

  constructor(
    readonly key: (row: Row) => string,
    readonly pageSize: number,
  ) {}

  /** Rows known so far, plus a page if there are more. */
  get count(): number {
    return this.#count;
  }

  /** Whether the first page of the current list is loaded. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether changes wait for the release. */
  get behind(): boolean {
    return this.#behind;
  }

  /** Why the last load failed; `refresh` tries again. */
  get error(): Error | null {
    return this.#error;
  }

  /** The row at an index; undefined if it is not loaded. */
  at(index: number): Row | undefined {
    return this.#pages.get(Math.floor(index / this.pageSize))?.rows[index % this.pageSize];
  }

  /** Whether the row at an index has left the list. */
  isGone(index: number): boolean {
    const row = this.at(index);
    const page = this.#pages.get(Math.floor(index / this.pageSize));
    return row !== undefined && page !== undefined && page.gone.has(this.key(row));
  }

  /** Starts another list. The old rows stay until its first page is loaded. */
  start(read: ReadPage<Row>) {
    this.stop();
    this.#asking = new AbortController();
    this.#read = read;
    this.#starting = true;
    this.#ready = false;
    this.#error = null;
    this.#first = this.#last = 0;
    void this.#run();
  }

  /** Stops loading. */
  stop() {
    this.#asking.abort();
  }

  /** Sets the visible range. */
  see(first: number, last: number) {
    this.#first = first;
    this.#last = last;
    if (!this.#error) void this.#run();
  }

  /** Reloads the visible pages, the others when they come into view. */
  refresh() {
    this.#error = null;
    this.#pages = new Map([...this.#pages].map(([page, kept]) => [page, { ...kept, stale: true }]));
    void this.#run();
  }

  /** Shows waiting changes even while the list is held. */
  catchUp() {
    this.#forced = true;
    this.#behind = false;
    this.refresh();
  }

  hold(why: string) {
    this.#holds.add(why);
  }

  release(why: string) {
    this.#holds.delete(why);
    if (this.#holds.size === 0 && this.#behind) {
      this.#behind = false;
      this.refresh();
    }
  }

  /** Attach to the element whose rows must not move during use. */
  readonly holdWhileUsed = holdWhileUsed(
    (why) => this.hold(why),
    (why) => this.release(why),
  );

  async #run() {
    const asking = this.#asking;
    if (this.#reader === asking || asking.signal.aborted) return;
    this.#reader = asking;
    await this.#readAll(asking.signal);
    if (this.#reader !== asking) return;
    this.#reader = null;
    this.#forced = false;
  }

  async #readAll(signal: AbortSignal) {
    try {
      for (let page = this.#next(); page !== null && this.#read; page = this.#next()) {
        const answer = await this.#read(this.#starting ? null : (this.#cursors[page] ?? null), signal);
        if (signal.aborted) return;
        this.#take(page, answer);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** The page to load next; null if all visible pages are loaded. */
  #next(): number | null {
    if (this.#starting) return 0;
    const page = this.#wanted().find((wanted) => this.#pages.get(wanted)?.stale !== false);
    return page ?? null;
  }

  /** The visible pages and the next one. */
  #wanted(): number[] {
    const first = Math.floor(this.#first / this.pageSize);
    const last = Math.floor((this.#last + this.pageSize / 2) / this.pageSize);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
      (page) => page < this.#cursors.length,
    );
  }

  #take(page: number, { rows, next }: Page<Row>) {
    const begins = this.#starting;
    if (begins) {
      this.#starting = false;
      this.#cursors = [null];
      this.#ending = null;
      this.#behind = false;
    }
    const pages = begins ? new Map<number, Kept<Row>>() : new Map(this.#pages);
    const kept = pages.get(page);
    if (kept && this.#holds.size > 0 && !this.#forced) {
      pages.set(page, this.#inPlace(kept, rows));
    } else {
      pages.set(page, { rows, gone: new Set(), stale: false });
      this.#chain(pages, page, rows.length, next);
    }
    this.#forget(pages);
    this.#pages = pages;
    this.#count =
      this.#ending === null
        ? this.#cursors.length * this.pageSize
        : (this.#cursors.length - 1) * this.pageSize + this.#ending;
    this.#error = null;
    this.#ready = true;
  }

  #inPlace(kept: Kept<Row>, rows: readonly Row[]): Kept<Row> {
    const latest = new Map(rows.map((row) => [this.key(row), row]));
    const found = kept.rows.map((row) => latest.get(this.key(row)));
    // Rows missing at the end may have moved to the next page.
    const end = found.findLastIndex((row) => row !== undefined);
    const gone = kept.rows.filter((_, i) => found[i] === undefined && i < end).map((row) => this.key(row));
    const known = new Set(kept.rows.map((row) => this.key(row)));
    this.#behind ||= gone.length > 0 || rows.some((row) => !known.has(this.key(row)));
    return {
      rows: kept.rows.map((row, i) => found[i] ?? row),
      gone: new Set(gone),
      stale: false,
    };
  }

  /** Applies the cursor of a loaded page to the page after it. */
  #chain(pages: Map<number, Kept<Row>>, page: number, length: number, next: string | null) {
    if (next === null) {
      const none = length === 0 && page > 0;
      this.#cursors.length = none ? page : page + 1;
      this.#ending = none ? this.pageSize : length;
      for (const later of [...pages.keys()]) if (later >= this.#cursors.length) pages.delete(later);
      return;
    }
    if (this.#cursors.length === page + 1) this.#ending = null;
    if (this.#cursors[page + 1] === next) return;
    this.#cursors[page + 1] = next;
    const follower = pages.get(page + 1);
    if (follower) pages.set(page + 1, { ...follower, stale: true });
  }

  #forget(pages: Map<number, Kept<Row>>) {
    const middle = (this.#first + this.#last) / 2 / this.pageSize;
    const far = (page: number) => Math.abs(page + 0.5 - middle);
    const order = [...pages.keys()].sort((a, b) => far(b) - far(a));
    for (const page of order.slice(0, Math.max(0, pages.size - maxPages))) pages.delete(page);
  }
}
