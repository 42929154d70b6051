import type { Tone } from '$lib/ui/tone';

/** What a series is about: a state, or a version that is not the target, newest
 * first. Both have the colours and patterns they have everywhere. */
export type ChartTone = Tone | 'older-1' | 'older-2' | 'older-3';

export type ChartStyle = 'area' | 'line' | 'dashed' | 'steps';

export interface ChartSeries {
  label: string;
  /** One for each moment; null where nothing is known. */
  values: readonly (number | null)[];
  tone: ChartTone;
  style: ChartStyle;
}

export interface ChartMark {
  at: string;
  label: string;
  tone?: Tone;
}

/** What a chart shows. */
export interface ChartContent {
  /** ISO 8601, oldest first. */
  times: readonly string[];
  /** From the bottom of the stack to its top. */
  series: readonly ChartSeries[];
  stacked: boolean;
  marks: readonly ChartMark[];
}

type Heights = (number | null)[];

/** How high each series reaches: its values, or with all below it. A moment is
 * unknown when nothing is known of it at all. */
export function heights({ times, series, stacked }: ChartContent): Heights[] {
  if (!stacked) return series.map(({ values }) => times.map((_, i) => values[i] ?? null));
  const below: Heights = times.map((_, i) => (series.some(({ values }) => values[i] != null) ? 0 : null));
  return series.map(({ values }) => {
    below.forEach((height, i) => {
      if (height !== null) below[i] = height + (values[i] ?? 0);
    });
    return [...below];
  });
}

/** The moment nearest to another, both in ms; -1 when there is none. */
export function nearest(moments: readonly number[], at: number): number {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moments[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return moments.length === 0 ? -1 : 0;
  const [before, after] = [moments[low - 1] ?? -Infinity, moments[low] ?? Infinity];
  return at - before <= after - at ? low - 1 : low;
}

/** Marks by the index of the moment they are nearest to. */
export function marksByMoment(
  moments: readonly number[],
  marks: readonly ChartMark[],
): Map<number, ChartMark[]> {
  const found = new Map<number, ChartMark[]>();
  for (const mark of marks) {
    const index = nearest(moments, Date.parse(mark.at));
    found.set(index, [...(found.get(index) ?? []), mark]);
  }
  return found;
}
