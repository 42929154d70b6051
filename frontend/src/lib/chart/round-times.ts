const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  4 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  5 * day,
  7 * day,
];

/** At most `most` round moments of local time between two (in ms since 1970),
 * evenly spaced except where the clocks change. */
export function roundTimes(from: number, until: number, most: number): Date[] {
  const step = steps.find((s) => (until - from) / s <= most) ?? 30 * day;
  // Steps of a day or more begin at local midnight, shorter ones at the hour.
  const start = new Date(from);
  start.setMilliseconds(0);
  start.setSeconds(0);
  start.setMinutes(0);
  if (step > hour) start.setHours(0);
  const times: Date[] = [];
  for (let at = start.getTime(); at <= until; at += step) {
    if (at >= from) times.push(new Date(at));
  }
  return times;
}
