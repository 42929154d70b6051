import { bytes, duration } from '$lib/ui/format';

/** "24 MiB of 1 GiB · 12 MiB/s · 1 min left"; parts that are not known are left out. */
export function progressText(done: number, total: number | null, rate: number | null): string {
  const parts = [total ? `${bytes(done)} of ${bytes(total)}` : bytes(done)];
  if (rate !== null) parts.push(`${bytes(rate)}/s`);
  if (rate && total) parts.push(`${duration((total - done) / rate)} left`);
  return parts.join(' · ');
}
