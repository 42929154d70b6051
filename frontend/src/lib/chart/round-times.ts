import { dateFormat } from '$lib/ui/zone.svelte';

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

/** About `most`, at least two, times in a range (in ms since 1970) that are round in a
 * zone. Evenly spaced except where clocks change. */
export function roundTimes(from: number, until: number, most: number, zone: string): Date[] {
  let size = steps.findIndex((step) => (until - from) / step <= most);
  if (size < 0) size = steps.length - 1;
  let times: Date[] = [];
  // A single tick shows no scale.
  for (; size >= 0 && times.length < 2; size--) times = multiples(steps[size] ?? day, from, until, zone);
  return times;
}

function multiples(step: number, from: number, until: number, zone: string): Date[] {
  // Steps of more than an hour start at local midnight, shorter ones at the hour.
  const unit = step > hour ? day : hour;
  const ahead = offset(from, zone);
  const times: Date[] = [];
  for (let local = Math.floor((from + ahead) / unit) * unit; ; local += step) {
    // Clocks change by whole hours, so shorter steps stay round with one offset.
    const at = step > hour ? instant(local, zone) : local - ahead;
    if (at > until) return times;
    if (at >= from) times.push(new Date(at));
  }
}

const dateAndTime = dateFormat({ dateStyle: 'short', timeStyle: 'medium' });

/** How far the clocks of a zone are ahead of UTC at a time, in ms. */
function offset(at: number, zone: string): number {
  const [date = 1, month = 1, year = 1970, ...clock] = (
    dateAndTime(new Date(at), zone).match(/\d+/g) ?? []
  ).map(Number);
  const [hours = 0, minutes = 0, seconds = 0] = clock;
  return Date.UTC(year, month - 1, date, hours, minutes, seconds) - Math.floor(at / second) * second;
}

/** The time at which the clocks of a zone show a local time, which is given as ms since
 * 1970 in that zone. The second offset is right near a clock change. */
function instant(local: number, zone: string): number {
  const near = local - offset(local, zone);
  return local - offset(near, zone);
}
