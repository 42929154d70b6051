/** How long a hold or pin lasts, as offered in a dialog. */
export const expiries = [
  { value: 'PT1H', label: 'For 1 hour', hours: 1 },
  { value: 'PT4H', label: 'For 4 hours', hours: 4 },
  { value: 'P1D', label: 'For 1 day', hours: 24 },
  { value: 'P7D', label: 'For 1 week', hours: 168 },
  { value: 'at', label: 'Until a moment …', hours: null },
  { value: '', label: 'Until it is released', hours: null },
] as const;

/** The moment that was chosen, for the API; null: none. `at` is the text of an
 * input of type datetime-local, in the reader's own zone. */
export function expiresAt(choice: string, at: string, now: Date): { until: string | null; error?: string } {
  if (choice === 'at') {
    const moment = new Date(at);
    if (Number.isNaN(moment.getTime())) return { until: null, error: 'Say when: a date and a time.' };
    if (moment <= now) return { until: null, error: 'That moment has passed.' };
    return { until: moment.toISOString() };
  }
  const hours = expiries.find(({ value }) => value === choice)?.hours;
  return { until: hours ? new Date(now.getTime() + hours * 3_600_000).toISOString() : null };
}
