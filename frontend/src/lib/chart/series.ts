import type { Tone } from '$lib/ui/tone';

/** Colour and pattern of a series: that of a state, or of a version older than the
 * target, newest first. */
export type ChartTone = Tone | 'older-1' | 'older-2' | 'older-3';

export type ChartStyle = 'area' | 'line' | 'dashed' | 'steps';

export interface ChartSeries {
  label: string;
  /** One per time; null where it is unknown. */
  values: readonly (number | null)[];
  tone: ChartTone;
  style: ChartStyle;
}

export interface ChartMark {
  id: string;
  at: string;
  label: string;
  tone?: Tone;
}

/** The content of a chart. Values hold until the next time. */
export interface ChartContent {
  /** The first and the last time shown, in ms; null for those of the data. */
  span: readonly [number, number] | null;
  /** ISO 8601, oldest first. */
  times: readonly string[];
  /** From the bottom of the stack to its top. */
  series: readonly ChartSeries[];
  stacked: boolean;
  marks: readonly ChartMark[];
  /** Name of the time zone of the axis. */
  zone: string;
}

type Heights = (number | null)[];

/** The upper edge of each series: its values or, if stacked, the sum up to it. A
 * time is unknown if no series has a value for it. */
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

/** Index of the time nearest to `at`, in ms; -1 if there is none. */
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

/** Marks by the index of their nearest time. */
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
