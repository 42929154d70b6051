import { count, plural } from '$lib/ui/format';

/** Text alternative of the bars: checks per five minutes, oldest first, the last
 * incomplete. */
export function checksSentence(checks: readonly number[]): string {
  const full = checks.slice(0, -1);
  const all = checks.reduce((sum, number) => sum + number, 0);
  if (all === 0) return 'No update checks in the last hour.';
  const [least, most] = [Math.min(...full), Math.max(...full)];
  const spread = full.length === 0 ? '' : `, ${count(least)} to ${count(most)} in five minutes`;
  return `${plural(all, 'update check')} in the last hour${spread}.`;
}
