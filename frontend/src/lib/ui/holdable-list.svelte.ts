import { SvelteSet } from 'svelte/reactivity';
import { holdWhileUsed } from './interaction-hold';

/** A short live list. While it is held, rows are updated in place, and rows that
 * came, left or moved wait until it is released. */
export class HoldableList<Item> {
  #latest = $state.raw<readonly Item[]>([]);
  #kept = $state.raw<readonly Item[] | null>(null);
  readonly #holds = new SvelteSet<string>();
  readonly #key: (item: Item) => string;

  constructor(key: (item: Item) => string) {
    this.#key = key;
  }

  /** The visible rows. */
  readonly items = $derived(
    this.#kept?.map((item) => this.#find(this.#latest, item) ?? item) ?? this.#latest,
  );

  /** Number of new rows that wait. */
  readonly waiting = $derived.by(() => {
    const kept = this.#kept;
    return kept ? this.#latest.filter((item) => !this.#find(kept, item)).length : 0;
  });

  update(items: readonly Item[]) {
    this.#latest = items;
  }

  /** Keeps the rows in place until `release` is called with the same reason. */
  hold(why: string) {
    if (this.#holds.size === 0) this.#kept = this.#latest;
    this.#holds.add(why);
  }

  release(why: string) {
    this.#holds.delete(why);
    if (this.#holds.size === 0) this.#kept = null;
  }

  /** Shows waiting rows and keeps holding. */
  catchUp() {
    if (this.#kept) this.#kept = this.#latest;
  }

  holds(why: string): boolean {
    return this.#holds.has(why);
  }

  /** Attach to the element whose rows must not move during use. */
  readonly holdWhileUsed = holdWhileUsed(
    (why) => this.hold(why),
    (why) => this.release(why),
  );

  #find(items: readonly Item[], wanted: Item): Item | undefined {
    const key = this.#key(wanted);
    return items.find((item) => this.#key(item) === key);
  }
}
