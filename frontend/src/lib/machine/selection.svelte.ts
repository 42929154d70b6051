import { SvelteSet } from 'svelte/reactivity';

/** The machines that a job will reach: all that match the filter, or chosen rows. */
export class Selection {
  #all = $state(false);
  readonly #ids = new SvelteSet<string>();

  /** Whether every machine that matches the filter is selected. */
  get all(): boolean {
    return this.#all;
  }

  /** The chosen rows; none if `all`. */
  get ids(): string[] {
    return [...this.#ids];
  }

  get active(): boolean {
    return this.#all || this.#ids.size > 0;
  }

  has(id: string): boolean {
    return this.#all || this.#ids.has(id);
  }

  selectAll() {
    this.#ids.clear();
    this.#all = true;
  }

  /** Selects rows instead of the filter. */
  choose(ids: readonly string[]) {
    this.clear();
    for (const id of ids) this.#ids.add(id);
  }

  /** Changes one row. If all were selected, the other rows of the page stay so. */
  toggle(id: string, page: readonly string[]) {
    if (this.#all) this.choose(page.filter((other) => other !== id));
    else if (!this.#ids.delete(id)) this.#ids.add(id);
  }

  clear() {
    this.#all = false;
    this.#ids.clear();
  }
}
