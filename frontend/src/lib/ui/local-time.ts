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
