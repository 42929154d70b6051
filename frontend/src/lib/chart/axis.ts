import { dateFormat } from '$lib/ui/zone.svelte';

const time = dateFormat({ hour: '2-digit', minute: '2-digit' });
const withSeconds = dateFormat({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const weekday = dateFormat({ weekday: 'short' });
const date = dateFormat({ day: 'numeric', month: 'short' });
const wholeDay = dateFormat({ dateStyle: 'short' });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en-US');

const day = 86_400_000;

/** Labels of a time axis in a zone: the time, with the day where a new day begins,
 * or only dates if the times are a day or more apart. */
export function axisLabels(moments: readonly Date[], now: Date, zone: string): string[] {
  const [first, second] = moments;
  if (first && second && second.getTime() - first.getTime() >= day - 3_600_000) {
    return moments.map((at) => date(at, zone));
  }
  const clock = first && second && second.getTime() - first.getTime() < 60_000 ? withSeconds : time;
  let last = wholeDay(now, zone);
  return moments.map((at) => {
    const here = wholeDay(at, zone);
    const newDay = here !== last;
    last = here;
    if (!newDay) return clock(at, zone);
    const name = now.getTime() - at.getTime() < 6 * day ? weekday(at, zone) : date(at, zone);
    return withSeconds(at, zone) === '00:00:00' ? name : `${name} ${clock(at, zone)}`;
  });
}

/** Label of a number on an axis, abbreviated from 100,000. */
export const axisNumber = (n: number): string => (n < 100_000 ? whole.format(n) : compact.format(n));

/** Possible steps of a number axis. Whole numbers, because it counts machines. */
export const wholeSteps: number[] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8].flatMap((ten) => [
  ten,
  2 * ten,
  5 * ten,
]);
