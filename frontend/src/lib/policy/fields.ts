import type { Policy, PolicyForm } from './form';
import list from './fields.json';

type Kind = 'switch' | 'count' | 'duration' | 'share' | 'text' | 'choice' | 'list';

/** For tests: all policy fields of the server, with their value in a new group. */
export const fields = list as unknown as readonly { name: keyof PolicyForm; kind: Kind; initial: unknown }[];

/** The policy of a new group. */
export const initialPolicy = Object.fromEntries(
  fields.map(({ name, initial }) => [name, initial]),
) as unknown as Policy;
