import { plural } from '$lib/ui/format';

/** What resuming does to earlier failures; "" if there are none. */
export function setAside(failed: number): string {
  if (failed === 0) return '';
  return ` The ${plural(failed, 'failure')} so far no longer ${failed === 1 ? 'counts' : 'count'} towards a halt.`;
}
