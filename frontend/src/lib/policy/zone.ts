import { wallTime } from '$lib/ui/local-time';

/** A period in the local time of a zone: "Sat 28 Nov 22:00 – Sun 04:00". */
export function spanText(from: Date, until: Date | null, zone: string): string {
  const day = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
  });
  const weekday = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short' });
  const clock = (at: Date) => wallTime(at, zone).slice(11);
  const begin = `${day.format(from).replace(',', '')} ${clock(from)}`;
  if (!until) return `from ${begin}`;
  const apart = until.getTime() - from.getTime();
  if (day.format(from) === day.format(until)) return `${begin} – ${clock(until)}`;
  const end = apart < 6 * 86_400_000 ? weekday.format(until) : day.format(until).replace(',', '');
  return `${begin} – ${end} ${clock(until)}`;
}

/** The zones the browser knows; UTC first. */
export const zones: readonly string[] = [
  'UTC',
  ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC'),
];
