import type { VariablesOf } from '$lib/api/graphql';
import { graphql } from '$lib/api/graphql';
import { outcomeLabel, type Outcome } from '$lib/machine/state';
import { sentence } from '$lib/ui/format';
import { visible } from '$lib/ui/visible';

export const failedAttemptsQuery = graphql(`
  query FailedAttempts($rolloutId: ID!, $filter: FailureFilter, $first: Int!, $after: String) {
    rollout(id: $rolloutId) {
      failedAttempts(filter: $filter, first: $first, after: $after) {
        nodes {
          id
          fromVersion
          wave
          number
          endedAt
          outcome
          code
          description
          instance {
            id
            machineId
            alias
            oem
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
        totalCount
        totalCountIsExact
      }
    }
  }
`);

export type FailureFilter = NonNullable<VariablesOf<typeof failedAttemptsQuery>['filter']>;

interface Failure {
  outcome: Outcome;
  code: number;
  description: string;
}

/** The label of a failure: its decoded code, else its outcome. */
export const failureLabel = ({ outcome, description }: Failure): string =>
  outcome === 'FAILED' && description ? sentence(description) : outcomeLabel[outcome];

/** A failure within a sentence: "download failed (code 9)", "rolled back after boot". */
export const failureName = ({ outcome, code, description }: Failure): string =>
  outcome === 'FAILED' && code ? `${description} (code ${code})` : outcomeLabel[outcome].toLowerCase();

interface Share {
  value: string;
  attempts: number;
}

/** The platform or address block of at least half of the failures, if there are others
 * and it has at least three: a likely cause. `shares` are sorted, largest first. */
export function cluster([first, second]: readonly Share[], failed: number): Share | undefined {
  return first?.value && second && first.attempts >= 3 && first.attempts * 2 >= failed ? first : undefined;
}

/** The filter as a query parameter: `all`, `FAILED.29`, `oem.vmware`, `from.1.0.0`, `address.192.0.2.0/24`,
 * `attribute.rack=3`, `tag.canary`. */
export function failureKey({
  outcome,
  code,
  oem,
  fromVersion,
  addressBlock,
  attribute,
  tag,
}: FailureFilter): string {
  if (outcome) return code == null ? outcome : `${outcome}.${code}`;
  if (oem != null) return `oem.${oem}`;
  if (fromVersion != null) return `from.${fromVersion}`;
  if (addressBlock != null) return `address.${addressBlock}`;
  if (attribute) return `attribute.${attribute.name}=${attribute.value}`;
  if (tag != null) return `tag.${tag}`;
  return 'all';
}

/** The filter of a query parameter; null if it is absent. */
export function failureFilter(key: string | null | undefined): FailureFilter | null {
  if (!key) return null;
  const dot = key.indexOf('.');
  const [what, value] = dot < 0 ? [key, null] : [key.slice(0, dot), key.slice(dot + 1)];
  if (what === 'oem' && value !== null) return { oem: value };
  if (what === 'from' && value !== null) return { fromVersion: value };
  if (what === 'address' && value !== null) return { addressBlock: value };
  if (what === 'tag' && value !== null) return { tag: value };
  if (what === 'attribute' && value?.includes('=')) {
    const at = value.indexOf('=');
    return { attribute: { name: value.slice(0, at), value: value.slice(at + 1) } };
  }
  if (!Object.hasOwn(outcomeLabel, what)) return {};
  const outcome = what as Outcome;
  return value !== null && /^\d+$/.test(value) ? { outcome, code: Number(value) } : { outcome };
}

/** What the attempts of a filter have in common. */
export function filterLabel(filter: FailureFilter, known: readonly Failure[]): string {
  if (filter.oem != null) return filter.oem ? `on ${visible(filter.oem)}` : 'on an unknown platform';
  if (filter.fromVersion != null)
    return filter.fromVersion ? `from ${visible(filter.fromVersion)}` : 'from an unknown version';
  if (filter.addressBlock != null)
    return filter.addressBlock ? `in ${visible(filter.addressBlock)}` : 'at an unknown address';
  if (filter.tag != null) return `with tag ${visible(filter.tag)}`;
  if (filter.attribute) return `with ${visible(filter.attribute.name)}=${visible(filter.attribute.value)}`;
  const { outcome, code } = filter;
  if (!outcome) return 'all';
  const same = known.find((f) => f.outcome === outcome && f.code === code);
  if (same) return failureLabel(same).toLowerCase();
  return code ? `${outcomeLabel[outcome].toLowerCase()}, code ${code}` : outcomeLabel[outcome].toLowerCase();
}
