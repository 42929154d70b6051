/** Compares two versions by semver precedence (https://semver.org, section 11), or
 * number by number if they are one to four numbers: negative if the first is lower.
 * Text that is not a version is lowest. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  if (!left || !right) return Number(!!left) - Number(!!right);
  for (let i = 0; i < 4; i++) {
    const [a, b] = [left.core[i] ?? 0n, right.core[i] ?? 0n];
    if (a !== b) return a < b ? -1 : 1;
  }
  return comparePrereleases(left.prerelease, right.prerelease);
}

const build = (version: string) => version.split('+')[1] ?? '';

/** Whether two texts are the same version but for the build metadata, which does not
 * order versions: a machine that runs one is never offered the other. */
export const sameButForBuild = (a: string, b: string): boolean =>
  compareVersions(a, b) === 0 && build(a) !== build(b);

function parse(text: string): { core: bigint[]; prerelease: string[] } | null {
  const match = /^(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text);
  return match && { core: (match[1] ?? '').split('.').map(BigInt), prerelease: match[2]?.split('.') ?? [] };
}

function comparePrereleases(a: string[], b: string[]): number {
  // A release is higher than its prereleases.
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = compareIdentifiers(a[i] ?? '', b[i] ?? '');
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Number(a) - Number(b);
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
