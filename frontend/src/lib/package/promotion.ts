/** A channel as far as a promotion needs to know it. */
export interface PromotedChannel {
  id: string;
  name: string;
  arch: string;
  package: { id: string; version: string } | null;
}

/** A package as far as a promotion needs to know it. */
export interface PromotedPackage {
  id: string;
  version: string;
  arch: string;
  blacklistings: readonly { reason: string; channel: { id: string } }[];
}

/** Why a package cannot be promoted to a channel, in words; null when it can.
 * The API refuses the same. */
export function promotionObstacle(channel: PromotedChannel, pack: PromotedPackage): string | null {
  if (channel.arch !== pack.arch) return `for ${channel.arch}, the package is for ${pack.arch}`;
  if (channel.package?.id === pack.id) return 'points to it already';
  const kept = pack.blacklistings.find((one) => one.channel.id === channel.id);
  if (kept) return `blacklisted there${kept.reason && `: “${kept.reason}”`}`;
  return null;
}
