/** The fields of a channel that a promotion needs. */
export interface PromotedChannel {
  id: string;
  name: string;
  arch: string;
  package: { id: string; version: string } | null;
  promotionNeedsApproval: boolean;
}

/** The fields of a package that a promotion needs. */
export interface PromotedPackage {
  id: string;
  version: string;
  arch: string;
  blacklistings: readonly { reason: string; channel: { id: string } }[];
}

/** Why a package cannot be promoted to a channel; null if it can. The API applies
 * the same rules. */
export function promotionObstacle(channel: PromotedChannel, pack: PromotedPackage): string | null {
  if (channel.arch !== pack.arch)
    return `the channel is for ${channel.arch}, but the package is for ${pack.arch}`;
  if (channel.package?.id === pack.id) return 'already points to this package';
  const kept = pack.blacklistings.find((one) => one.channel.id === channel.id);
  if (kept) return `blacklisted for this channel${kept.reason && `: “${kept.reason}”`}`;
  return null;
}
