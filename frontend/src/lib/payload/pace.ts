/** Seconds over which the speed is measured. */
const window = 10;

/** Measures the speed of a transfer over its last seconds. */
export class Pace {
  #samples: { at: number; bytes: number }[] = [];

  /** Notes the bytes transferred up to a time in milliseconds. */
  note(bytes: number, at: number) {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && (this.#samples[0]?.at ?? at) < at - window * 1000)
      this.#samples.shift();
  }

  /** Forgets what was measured, because the transfer paused. */
  reset() {
    this.#samples = [];
  }

  /** Bytes per second; null while too little was measured. */
  get rate(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < 500) return null;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}
