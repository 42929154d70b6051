import { graphql } from '$lib/api/graphql';
import { visible } from '$lib/ui/visible';
import type { FailureFilter } from './failures';

/** Failures by what machines are. Not part of the live group, because it reads every failed
 * attempt. */
export const failureSlicesQuery = graphql(`
  query FailureSlices($rolloutId: ID!) {
    rollout(id: $rolloutId) {
      failuresByAttribute {
        attempts
        slices {
          name
          value
          tag
          attempts
          standsOut
        }
      }
    }
  }
`);

interface Slice {
  name: string;
  value: string;
  tag: boolean;
  attempts: number;
  standsOut: boolean;
}

/** The failed attempts from which on a slice can stand out. */
export const enoughToStandOut = 3;

/** Names that have a breakdown of their own. */
const shownElsewhere = ['oem', 'version'];

/** A slice as text: "rack=3", "tag canary", "version 1.0.0". */
export function sliceLabel({ name, value, tag }: Pick<Slice, 'name' | 'value' | 'tag'>): string {
  if (tag) return `tag ${visible(name)}`;
  return name === 'version' ? `version ${visible(value)}` : `${visible(name)}=${visible(value)}`;
}

/** The failed attempts of a slice. */
export function sliceFilter({ name, value, tag }: Pick<Slice, 'name' | 'value' | 'tag'>): FailureFilter {
  return tag ? { tag: name } : { attribute: { name, value } };
}

/** The most frequent attribute or tag that is a likely cause and that no other breakdown shows. */
export const likelyCause = (slices: readonly Slice[]): Slice | undefined =>
  slices.find(({ name, tag, standsOut }) => standsOut && (tag || !shownElsewhere.includes(name)));
