import { SvelteSet } from 'svelte/reactivity';
import { underHand } from './interaction-hold';

/** A short list that changes all the time and still keeps still under a hand: while
 * it is held, rows are brought up to date where they stand, and rows that came,
 * went or moved wait until it is released. */
export class HoldableList<Item> {
  #latest = $state.raw<readonly Item[]>([]);
  #kept = $state.raw<readonly Item[] | null>(null);
  readonly #holds = new SvelteSet<string>();
  readonly #key: (item: Item) => string;

  constructor(key: (item: Item) => string) {
    this.#key = key;
  }

  /** What to show. */
  readonly items = $derived(
    this.#kept?.map((item) => this.#find(this.#latest, item) ?? item) ?? this.#latest,
  );

  /** How many rows wait to be shown. */
  readonly waiting = $derived.by(() => {
    const kept = this.#kept;
    return kept ? this.#latest.filter((item) => !this.#find(kept, item)).length : 0;
  });

  update(items: readonly Item[]) {
    this.#latest = items;
  }

  /** Keeps the rows in place until the same reason is released. */
  hold(why: string) {
    if (this.#holds.size === 0) this.#kept = this.#latest;
    this.#holds.add(why);
  }

  release(why: string) {
    this.#holds.delete(why);
    if (this.#holds.size === 0) this.#kept = null;
  }

  /** Shows what waits and goes on holding. */
  catchUp() {
    if (this.#kept) this.#kept = this.#latest;
  }

  holds(why: string): boolean {
    return this.#holds.has(why);
  }

  /** Attach to the element whose rows must not jump. */
  readonly underHand = underHand(
    (why) => this.hold(why),
    (why) => this.release(why),
  );

  #find(items: readonly Item[], wanted: Item): Item | undefined {
    const key = this.#key(wanted);
    return items.find((item) => this.#key(item) === key);
  }
}
