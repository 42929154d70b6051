interface Page<Entry> {
  /** Newest first. */
  entries: readonly Entry[];
  /** Cursor of the older entries; null if there are none. */
  older: string | null;
}

/** A list, newest first. A subscription updates its newest part; older pages are
 * loaded on demand. */
export class LiveLog<Entry extends { id: string }> {
  #entries = $state.raw<readonly Entry[]>([]);
  #older = $state.raw<string | null>(null);

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Cursor of the next older page; null at the end. */
  get older(): string | null {
    return this.#older;
  }

  /** Replaces the newest part. Older entries stay, unless the parts no longer
   * overlap, so that entries could be missing between them. */
  update({ entries, older }: Page<Entry>) {
    const latest = entries.map(({ id }) => id);
    const last = this.#entries.findLastIndex(({ id }) => latest.includes(id));
    if (last < 0) {
      this.#entries = entries;
      this.#older = older;
      return;
    }
    this.#entries = [...entries, ...this.#entries.slice(last + 1)];
  }

  /** Adds an older page. */
  append({ entries, older }: Page<Entry>) {
    this.#entries = [...this.#entries, ...entries];
    this.#older = older;
  }
}
