interface Told<Entry> {
  /** Newest first. */
  entries: readonly Entry[];
  /** Cursor of what is older; null when nothing is. */
  older: string | null;
}

/** A long list, newest first, whose newest part the server keeps telling while
 * older parts are asked for. */
export class LiveLog<Entry extends { id: string }> {
  #entries = $state.raw<readonly Entry[]>([]);
  #older = $state.raw<string | null>(null);

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Where to go on asking; null at the beginning of the story. */
  get older(): string | null {
    return this.#older;
  }

  /** The newest part as it is now. What is already known and older stays, unless
   * so much happened since that something may be missing between. */
  tell({ entries, older }: Told<Entry>) {
    const told = entries.map(({ id }) => id);
    const last = this.#entries.findLastIndex(({ id }) => told.includes(id));
    if (last < 0) {
      this.#entries = entries;
      this.#older = older;
      return;
    }
    this.#entries = [...entries, ...this.#entries.slice(last + 1)];
  }

  /** What came before all that is known. */
  append({ entries, older }: Told<Entry>) {
    this.#entries = [...this.#entries, ...entries];
    this.#older = older;
  }
}
