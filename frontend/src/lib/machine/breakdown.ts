import { graphql, type ResultOf } from '$lib/api/graphql';
import type { MachineList } from '$lib/paths';

export const breakdownQuery = graphql(`
  query MachineBreakdown($filter: InstanceFilter!, $attribute: String!) {
    machineBreakdown(filter: $filter, attribute: $attribute) {
      machines
      complete
      others
      values {
        value
        machines
        onTarget
        failed
      }
    }
  }
`);

export type Share = ResultOf<typeof breakdownQuery>['machineBreakdown']['values'][number];

/** Another attribute than these is typed. */
export const other = 'other';

export const choices = [
  { value: 'oem', label: 'OEM' },
  { value: 'oem_version', label: 'OEM version' },
  { value: 'version', label: 'Version' },
  { value: 'aleph_version', label: 'First installed version' },
  { value: 'arch', label: 'Architecture' },
  { value: 'address_block', label: 'Address block' },
  { value: 'tags', label: 'Tag', note: 'a machine counts once for each' },
  { value: other, label: 'Another attribute…' },
];

/** The filters of the machines with a value of an attribute; null if there is no such filter. */
export function filterOf(attribute: string, value: string): MachineList | null {
  if (value === '') return null;
  switch (attribute) {
    case 'oem':
      return { oem: value };
    case 'version':
      return { version: value };
    case 'tags':
      return { label: value };
    case 'oem_version':
    case 'aleph_version':
    case 'arch':
    case 'address_block':
      return null;
    default:
      return /\s/.test(value) ? null : { label: `${attribute}=${value}` };
  }
}
