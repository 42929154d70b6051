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

interface Asked {
  groupId: string;
  range: TimelineRange;
  /** Whenever this is another text, something happened that a chart marks. */
  chapter: string;
}

interface Now {
  group: Present;
  /** Whether it follows a gap, in which the page saw nothing. */
  snapshot: boolean;
}

/** Milliseconds: between readings of the stored points at least, and after
 * something happened, so that its mark is there to read. */
const readEvery = 30_000;
const readAfter = 400;

const iso = (at: number) => new Date(at).toISOString();

/** Marks in a chart; more cannot be told apart. */
const mostMarks = 12;

/** The stored past of a group, carried on by what the page sees of its present.
 * Make it while a component is being set up. */
export class GroupHistory {
  #timeline = $state.raw<Timeline | null>(null);
  #seen = $state.raw<readonly Point[]>([]);
  #gaps = $state(0);
  error = $state.raw<ApiError | null>(null);

  constructor(asked: () => Asked, now: () => Now) {
    const { groupId, range, chapter } = $derived(asked());
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
      void chapter;
      void this.#gaps;
      return this.#keepReading(groupId, range);
    });
  }

  /** Null until it was read for the first time. */
  get timeline(): Timeline | null {
    return this.#timeline;
  }

  readonly #apart = $derived(isoSeconds(this.#timeline?.resolution ?? 'PT30S') * 1000);
  readonly #stored = $derived(this.#timeline ? points(this.#timeline) : []);

  /** Oldest first. */
  readonly points = $derived(join(this.#stored, this.#apart, this.#seen));

  /** The moments of the points. */
  readonly times = $derived(this.points.map(({ at }) => iso(at)));

  /** What happened to the rollout meanwhile, the newest few. */
  readonly marks = $derived(
    chartMarks(this.#timeline?.marks ?? [], this.points[0]?.at ?? 0).slice(-mostMarks),
  );

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
      // No point is newer before the next one is stored.
      timer = setTimeout(read, Math.max(readEvery, this.error ? 0 : this.#apart));
    };
    timer = setTimeout(read, untrack(() => this.#timeline) ? readAfter : 0);
    return () => {
      clearTimeout(timer);
      reading.abort();
    };
  }
}
