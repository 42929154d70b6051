import { untrack } from 'svelte';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';
import { isoSeconds } from '$lib/ui/format';
import {
  chartMarks,
  join,
  points,
  present,
  see,
  timelineQuery,
  type Point,
  type Present,
  type Timeline,
  type TimelineRange,
} from './timeline';

interface Selection {
  groupId: string;
  range: TimelineRange;
  /** Changes whenever an event occurs that a chart marks. */
  eventKey: string;
}

interface Now {
  group: Present;
  /** Whether it follows a gap in the connection. */
  snapshot: boolean;
}

/** Minimum milliseconds between two loads of the stored points. */
const readEvery = 30_000;
/** Milliseconds between an event and the next load, so that its mark is stored. */
const readAfter = 400;

const iso = (at: number) => new Date(at).toISOString();

/** The timeline of a group: stored points, continued by the live numbers. Create it
 * during component initialisation. */
export class GroupHistory {
  #timeline = $state.raw<Timeline | null>(null);
  #seen = $state.raw<readonly Point[]>([]);
  #gaps = $state(0);
  error = $state.raw<ApiError | null>(null);

  constructor(selection: () => Selection, now: () => Now) {
    const { groupId, range, eventKey } = $derived(selection());
    $effect(() => {
      void groupId;
      return () => (this.#seen = []);
    });
    $effect(() => {
      const latest = now();
      untrack(() => {
        if (latest.snapshot && this.#seen.length > 0) this.#gaps++;
        this.#seen = see(this.#seen, present(latest.group));
      });
    });
    $effect(() => {
      void range;
      void groupId;
      return () => (this.#timeline = null);
    });
    $effect(() => {
      void eventKey;
      void this.#gaps;
      return this.#keepReading(groupId, range);
    });
  }

  /** Null before the first load. */
  get timeline(): Timeline | null {
    return this.#timeline;
  }

  readonly #apart = $derived(isoSeconds(this.#timeline?.resolution ?? 'PT30S') * 1000);
  readonly #stored = $derived(this.#timeline ? points(this.#timeline) : []);

  /** Oldest first. */
  readonly points = $derived(join(this.#stored, this.#apart, this.#seen));

  /** The times of the points, ISO 8601. */
  readonly times = $derived(this.points.map(({ at }) => iso(at)));

  /** Its changes, oldest first. */
  readonly changes = $derived(this.#timeline?.annotations ?? []);

  /** The changes since the first point. */
  readonly marks = $derived(chartMarks(this.changes, this.points[0]?.at ?? 0));

  #keepReading(groupId: string, range: TimelineRange): () => void {
    const reading = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const read = async () => {
      try {
        const { timeline } = await session.ask(timelineQuery, { groupId, range }, reading.signal);
        this.#timeline = timeline;
        this.error = null;
      } catch (error) {
        if (reading.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        this.error = error;
      }
      // There is nothing new before the next point is stored.
      timer = setTimeout(read, Math.max(readEvery, this.error ? 0 : this.#apart));
    };
    timer = setTimeout(read, untrack(() => this.#timeline) ? readAfter : 0);
    return () => {
      clearTimeout(timer);
      reading.abort();
    };
  }
}
