/** Wall clocks of other zones: what `<input type="datetime-local">` holds. */

/** The clock on the wall of a zone at a moment: "2026-12-24T18:30". */
export function wallTime(at: Date, zone: string): string {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    })
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return `${parts['year']}-${parts['month']}-${parts['day']}T${parts['hour']}:${parts['minute']}`;
}

/** The moment at which the clock of a zone shows this; null when it is no time.
 * Of two moments (autumn) the first, and for none (spring) the one an hour on. */
export function momentAt(wall: string, zone: string): Date | null {
  const asUtc = Date.parse(`${wall}Z`);
  if (Number.isNaN(asUtc)) return null;
  // How far the zone is ahead a day before and a day after: one of both is right.
  const ahead = [-86_400_000, 86_400_000].map((apart) => {
    const near = asUtc + apart;
    return Date.parse(`${wallTime(new Date(near), zone)}Z`) - Math.floor(near / 60_000) * 60_000;
  });
  const candidates = ahead
    .map((offset) => new Date(asUtc - offset))
    .sort((a, b) => a.getTime() - b.getTime());
  const shown = wall.slice(0, 16);
  return candidates.find((at) => wallTime(at, zone) === shown) ?? candidates[1] ?? null;
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

/** A span on the clock of a zone: "Sat 28 Nov 22:00 – Sun 04:00". */
export function spanWords(from: Date, until: Date | null, zone: string): string {
  const day = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
  });
  const weekday = new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short' });
  const clock = (at: Date) => wallTime(at, zone).slice(11);
  const begin = `${day.format(from).replace(',', '')} ${clock(from)}`;
  if (!until) return `from ${begin} on`;
  const apart = until.getTime() - from.getTime();
  if (day.format(from) === day.format(until)) return `${begin} – ${clock(until)}`;
  const end = apart < 6 * 86_400_000 ? weekday.format(until) : day.format(until).replace(',', '');
  return `${begin} – ${end} ${clock(until)}`;
}

/** The zones the browser knows, for choosing. */
export const zones: readonly string[] = [
  'UTC',
  ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC'),
];
