/* eslint-disable svelte/prefer-svelte-reactivity -- pages are replaced as a whole, never changed */

import { underHand } from './interaction-hold';

/** One page of a list that is read by cursors. */
export interface Page<Row> {
  rows: readonly Row[];
  /** Cursor of the next page; null when this is the last one. */
  next: string | null;
}

/** Reads the page that begins after a cursor; null begins the list. */
export type ReadPage<Row> = (after: string | null, signal: AbortSignal) => Promise<Page<Row>>;

interface Kept<Row> {
  rows: readonly Row[];
  /** Keys of rows that left the list and are shown until nothing holds them. */
  gone: ReadonlySet<string>;
  /** To be read again as soon as it is looked at. */
  stale: boolean;
}

/** Pages kept; those farthest from what is looked at are forgotten first. */
const most = 8;

/** A long list of which only the part that is looked at is known. Pages are read
 * one after the other as they come into view, forgotten when they are far away,
 * and read again when the list changed. While it is held, rows are brought up to
 * date where they stand; what came, went or moved waits until it is released. */
export class PagedRows<Row> {
  #pages = $state.raw<ReadonlyMap<number, Kept<Row>>>(new Map());
  #count = $state(0);
  #error = $state.raw<Error | null>(null);
  #behind = $state(false);
  #ready = $state(false);

  /** Where each known page begins. The last of them has not been read yet,
   * unless `#ending` is known. */
  #cursors: (string | null)[] = [null];
  /** Rows of the last page; null until the end of the list has been seen. */
  #ending: number | null = null;
  #first = 0;
  #last = 0;
  #read: ReadPage<Row> | null = null;
  #asking = new AbortController();
  #reader: AbortController | null = null;
  #starting = false;
  /** Whether this reading may move rows that are held. */
  #forced = false;
  readonly #holds = new Set<string>();

  constructor(
    readonly key: (row: Row) => string,
    readonly pageSize: number,
  ) {}

  /** Places for rows: those known, and a page more as long as there is more. */
  get count(): number {
    return this.#count;
  }

  /** Whether the present question has been answered. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether the list changed and waits to be shown. */
  get behind(): boolean {
    return this.#behind;
  }

  /** Why the last reading failed; the next `refresh` tries again. */
  get error(): Error | null {
    return this.#error;
  }

  /** The row at a place; undefined while it is not known. */
  at(index: number): Row | undefined {
    return this.#pages.get(Math.floor(index / this.pageSize))?.rows[index % this.pageSize];
  }

  /** Whether the row at a place has left the list since. */
  isGone(index: number): boolean {
    const row = this.at(index);
    const page = this.#pages.get(Math.floor(index / this.pageSize));
    return row !== undefined && page !== undefined && page.gone.has(this.key(row));
  }

  /** Begins another list. What was shown stays until its first page is here. */
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

  /** Reads nothing more. */
  stop() {
    this.#asking.abort();
  }

  /** The places that are looked at. */
  see(first: number, last: number) {
    this.#first = first;
    this.#last = last;
    if (!this.#error) void this.#run();
  }

  /** Reads again what is looked at, the rest when it comes into view. */
  refresh() {
    this.#error = null;
    this.#pages = new Map([...this.#pages].map(([page, kept]) => [page, { ...kept, stale: true }]));
    void this.#run();
  }

  /** Shows what waits, held or not. */
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

  /** Attach to the element whose rows must not jump. */
  readonly underHand = underHand(
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

  /** The page to read next; null when all that is looked at is known. */
  #next(): number | null {
    if (this.#starting) return 0;
    const page = this.#wanted().find((wanted) => this.#pages.get(wanted)?.stale !== false);
    return page ?? null;
  }

  /** The pages that are looked at, and one that soon will be. */
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
    // Rows missing at the end may only have been moved on to the next page.
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

  /** A page that was read decides where the next one begins, and whether there
   * is one. */
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
    for (const page of order.slice(0, Math.max(0, pages.size - most))) pages.delete(page);
  }
}
