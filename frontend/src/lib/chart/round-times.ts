const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  second,
  2 * second,
  5 * second,
  10 * second,
  15 * second,
  30 * second,
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
  30 * day,
];

/** About `most`, at least two, round local times in a range (in ms since 1970).
 * Evenly spaced except where clocks change. */
export function roundTimes(from: number, until: number, most: number): Date[] {
  let size = steps.findIndex((step) => (until - from) / step <= most);
  if (size < 0) size = steps.length - 1;
  let times: Date[] = [];
  // A single tick shows no scale.
  for (; size >= 0 && times.length < 2; size--) times = multiples(steps[size] ?? day, from, until);
  return times;
}

function multiples(step: number, from: number, until: number): Date[] {
  // Steps of more than an hour start at local midnight, shorter ones at the hour.
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
