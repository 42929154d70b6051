import { fromDate, parseDateTime, toCalendarDateTime, toZoned } from '@internationalized/date';

/** Local times in other time zones, in the format of `<input type="datetime-local">`. */

/** The local time of a zone at an instant: "2026-12-24T18:30". */
export const wallTime = (at: Date, zone: string): string =>
  toCalendarDateTime(fromDate(at, zone)).toString().slice(0, 16);

/** The instant of a local time in a zone; null if the text is not a time. A local
 * time that occurs twice means the first; one that is skipped means an hour later. */
export function momentAt(wall: string, zone: string): Date | null {
  try {
    return toZoned(parseDateTime(wall), zone, 'compatible').toDate();
  } catch {
    return null;
  }
}

/** Whether the browser knows the zone. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

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
