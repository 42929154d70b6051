import { graphql, type ResultOf } from '$lib/api/graphql';
import { span } from '$lib/ui/format';
import { compareVersions } from '$lib/version/compare';

/** A channel with everything that a roll back depends on. */
export const wayBackQuery = graphql(`
  query WayBack($channelId: ID!, $arch: String!) {
    channel(id: $channelId) {
      id
      name
      revision
      package {
        id
        version
      }
      promotions(first: 100) {
        nodes {
          version
          rolledBack
          reason
          promotedBy
          promotedAt
          endedAt
          package {
            id
          }
        }
      }
      floors {
        package {
          version
        }
      }
      blacklistings {
        recalled
        package {
          id
          version
        }
      }
      groups {
        id
        name
        state
        numbers {
          active
        }
        policy {
          maxConcurrentUpdates
          maxUpdatesPerPeriod
          periodInterval
        }
      }
      application {
        id
        name
        packages(filter: { arch: $arch }, first: 500) {
          nodes {
            id
            version
          }
        }
      }
    }
  }
`);

export type WayBack = NonNullable<ResultOf<typeof wayBackQuery>['channel']>;

/** A package that a channel can go back to. */
export interface Choice {
  id: string;
  version: string;
  /** When the channel last pointed to it, such as "on stable 24 Oct–28 Nov". */
  note: string;
}

/** The packages below the present one that are not blacklisted, the usual one first:
 * those that the channel pointed to, the latest first, then the others, the highest
 * first. */
export function choices({ name, package: present, ...channel }: WayBack, now: Date): Choice[] {
  if (!present) return [];
  const barred = new Set(channel.blacklistings.map((one) => one.package.id));
  const found = new Map<string, Choice>();
  const add = (id: string, version: string, note: string) => {
    if (found.has(id) || barred.has(id) || compareVersions(version, present.version) >= 0) return;
    found.set(id, { id, version, note });
  };
  for (const { package: pack, version, promotedAt, endedAt } of channel.promotions.nodes) {
    if (pack && endedAt)
      add(pack.id, version, `on ${name} ${span(new Date(promotedAt), new Date(endedAt), now)}`);
  }
  const highestFirst = channel.application.packages.nodes.toSorted((a, b) =>
    compareVersions(b.version, a.version),
  );
  for (const { id, version } of highestFirst) add(id, version, `never on ${name}`);
  return [...found.values()];
}

/** What became of a channel since it was read, as sentences. */
export function changes(before: WayBack, after: WayBack): string[] {
  const found: string[] = [];
  if (before.name !== after.name) found.push(`It is now called ${after.name}.`);
  if (before.package?.id !== after.package?.id) found.push(movement(before, after));
  const barred = ({ blacklistings }: WayBack) =>
    blacklistings.map(({ recalled, package: { version } }) => ({
      key: `${version} ${recalled}`,
      text: recalled
        ? `${version} is blacklisted, and machines on it are downgraded`
        : `${version} is blacklisted`,
    }));
  const floors = ({ floors }: WayBack) =>
    floors.map(({ package: { version } }) => ({ key: version, text: `${version} is a floor` }));
  for (const rules of [barred, floors]) {
    const [then, now] = [rules(before), rules(after)];
    const without = (list: typeof then, other: typeof then) =>
      list.filter(({ key }) => !other.some((one) => one.key === key));
    found.push(...without(now, then).map(({ text }) => `Now ${text}.`));
    found.push(...without(then, now).map(({ text }) => `No longer true: ${text}.`));
  }
  return found;
}

/** How a channel came to its present package. */
function movement(before: WayBack, after: WayBack): string {
  const last = after.promotions.nodes[0];
  const to = after.package ? `to ${after.package.version}` : 'to no package';
  const how = last?.rolledBack ? 'rolled it back' : 'pointed it';
  const from = before.package ? `, from ${before.package.version}` : '';
  const why = last?.reason ? `: “${last.reason}”` : '.';
  return `${last?.promotedBy ?? 'Someone'} ${how} ${to}${from}${why}`;
}
