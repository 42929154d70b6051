import { untrack } from 'svelte';
import { PagedRows } from '$lib/ui/paged-rows.svelte';
import {
  pageSize,
  readInstances,
  type InstanceFilter,
  type InstanceOrder,
  type InstanceRow,
  type Total,
} from './instances';

/** Milliseconds between two reloads after changes. */
const reloadEvery = 3000;
/** Milliseconds between two reloads without changes, because last-seen times change
 * without any count changing. */
const reloadAtLeastEvery = 15_000;

/** A filtered, live list of machines. Create it during component initialisation. */
export class InstanceList {
  readonly rows = new PagedRows<InstanceRow>((machine) => machine.id, pageSize);
  #total = $state.raw<Total | null>(null);
  #sample: InstanceRow | null = null;
  #recount = true;
  #readAt = 0;

  /** `question` identifies the list, `ask` returns its filter and order, and `changed`
   * returns a new value whenever the list may have changed. */
  constructor(
    question: () => string,
    ask: () => { filter: InstanceFilter; orderBy: InstanceOrder },
    changed: () => unknown,
  ) {
    const read = async (after: string | null, signal: AbortSignal) => {
      const { filter, orderBy } = ask();
      const counted = this.#recount;
      this.#recount = false;
      this.#readAt = Date.now();
      const page = await readInstances(filter, orderBy, after, counted, signal);
      if (page.total) this.#total = page.total;
      this.#sample = page.rows[0] ?? this.#sample;
      return page;
    };
    let stale = false;
    $effect(() => {
      question();
      untrack(() => {
        this.#recount = true;
        this.#sample = null;
        this.rows.start(read);
      });
      return () => this.rows.stop();
    });
    $effect(() => {
      changed();
      stale = true;
    });
    $effect(() => {
      const timer = setInterval(() => {
        if (document.hidden || !(this.rows.ready || this.rows.error)) return;
        if (!stale && !this.rows.error && Date.now() - this.#readAt < reloadAtLeastEvery) return;
        stale = false;
        this.#recount = true;
        this.rows.refresh();
      }, reloadEvery);
      return () => clearInterval(timer);
    });
  }

  /** Number of machines; null before it is loaded. */
  get total(): Total | null {
    return this.#total;
  }

  /** Any machine of the list. */
  get sample(): InstanceRow | null {
    return this.#sample;
  }
}
