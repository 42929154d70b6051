import { compareVersions } from '$lib/version/compare';
import type { VersionCount } from './filter';

/** Merges the version counts of several applications, highest first. */
export function mergeVersions(lists: readonly (readonly VersionCount[])[]): VersionCount[] {
  const sums = new Map<string, number>();
  for (const { version, machines } of lists.flat()) {
    sums.set(version, (sums.get(version) ?? 0) + machines);
  }
  return [...sums]
    .map(([version, machines]) => ({ version, machines }))
    .sort((a, b) => compareVersions(b.version, a.version));
}
