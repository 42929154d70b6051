import { momentAt } from '$lib/ui/local-time';

/** Choices for the duration of a hold or pin. */
export const expiries = [
  { value: 'PT1H', label: 'For 1 hour', hours: 1 },
  { value: 'PT4H', label: 'For 4 hours', hours: 4 },
  { value: 'P1D', label: 'For 1 day', hours: 24 },
  { value: 'P7D', label: 'For 1 week', hours: 168 },
  { value: 'at', label: 'Until a time…', hours: null },
  { value: '', label: 'Until released', hours: null },
] as const;

/** The end of a hold or pin for the API; null for none. `at` is the value of a
 * datetime-local input, in `zone`. */
export function expiresAt(
  choice: string,
  at: string,
  zone: string,
  now: Date,
): { until: string | null; error?: string } {
  if (choice === 'at') {
    const moment = momentAt(at, zone);
    if (!moment) return { until: null, error: 'Enter a date and a time.' };
    if (moment <= now) return { until: null, error: 'Enter a time in the future.' };
    return { until: moment.toISOString() };
  }
  const hours = expiries.find(({ value }) => value === choice)?.hours;
  return { until: hours ? new Date(now.getTime() + hours * 3_600_000).toISOString() : null };
}
