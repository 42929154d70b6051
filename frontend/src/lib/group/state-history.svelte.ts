import { untrack } from 'svelte';
import { ApiError } from '$lib/api/request';
import type { ResultOf } from '$lib/api/graphql';
import { session } from '$lib/session/session.svelte';
import { chartMarks, join, points, see, timelineQuery, type Point, type TimelineRange } from './timeline';

interface Asked {
  groupId: string;
  range: TimelineRange;
  /** The rollout in force: another one means another target. */
  rolloutId: string | null;
}

/** Milliseconds between readings of the stored points. */
const readEvery = 60_000;

/** Marks in a chart; more cannot be told apart. */
const mostMarks = 8;

/** Machines by state from the stored past to the present moment. Make it while a
 * component is being set up. */
export class StateHistory {
  #answer = $state.raw<ResultOf<typeof timelineQuery> | null>(null);
  #seen = $state.raw<readonly Point[]>([]);

  constructor(asked: () => Asked, now: () => Point) {
    const { groupId, range, rolloutId } = $derived(asked());
    $effect(() => {
      void groupId;
      return () => (this.#seen = []);
    });
    $effect(() => {
      const point = now();
      untrack(() => (this.#seen = see(this.#seen, point)));
    });
    $effect(() => {
      void rolloutId;
      return this.#keepReading(groupId, range);
    });
  }

  /** Oldest first. */
  readonly points = $derived.by(() => {
    if (!this.#answer) return this.#seen;
    const { timeline, group } = this.#answer;
    return join(points(timeline, group?.rollouts.nodes ?? []), timeline.resolution, this.#seen);
  });

  /** What happened to the rollout meanwhile, the newest few. */
  readonly marks = $derived(
    chartMarks(this.#answer?.timeline.marks ?? [], this.points[0]?.at).slice(-mostMarks),
  );

  #keepReading(groupId: string, range: TimelineRange): () => void {
    const reading = new AbortController();
    const read = async () => {
      try {
        this.#answer = await session.ask(timelineQuery, { groupId, range }, reading.signal);
      } catch (error) {
        // The connection badge tells; the next reading mends it.
        if (!(error instanceof ApiError || reading.signal.aborted)) throw error;
      }
    };
    void read();
    const timer = setInterval(read, readEvery);
    return () => {
      clearInterval(timer);
      reading.abort();
    };
  }
}
