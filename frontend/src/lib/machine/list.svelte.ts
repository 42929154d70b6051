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

/** Milliseconds between two readings of what changed, and between two readings
 * although nothing did: machines are seen without any number changing. */
const changedEvery = 3000;
const anyway = 15_000;

/** A filtered list of machines that follows what changes. Make it while a
 * component is being set up. */
export class InstanceList {
  readonly rows = new PagedRows<InstanceRow>((machine) => machine.id, pageSize);
  #total = $state.raw<Total | null>(null);
  #sample: InstanceRow | null = null;
  #recount = true;
  #readAt = 0;

  /** `question` is another text for another list, `ask` what the API is asked for
   * it now, `changed` another value whenever something may have changed. */
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
        if (!stale && !this.rows.error && Date.now() - this.#readAt < anyway) return;
        stale = false;
        this.#recount = true;
        this.rows.refresh();
      }, changedEvery);
      return () => clearInterval(timer);
    });
  }

  /** How many machines it has; null until that is known. */
  get total(): Total | null {
    return this.#total;
  }

  /** One of its machines. */
  get sample(): InstanceRow | null {
    return this.#sample;
  }
}
