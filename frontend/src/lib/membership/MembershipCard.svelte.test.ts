import { cleanup, render, screen, within } from '@testing-library/svelte';
import type { ComponentProps } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import MembershipCard from './MembershipCard.svelte';

afterEach(cleanup);

type Machine = ComponentProps<typeof MembershipCard>['machine'];

const machine = (membership: unknown) => ({ application: { id: 'app' }, membership }) as Machine;

test('each comparison shows its result and what the machine has', () => {
  render(MembershipCard, {
    machine: machine({
      by: 'EXPRESSION',
      sentence: 'the expression of group Azure is the first that is true',
      results: [
        { group: null, is: false, parts: [{ text: 'oem == "ami"', is: false, values: "oem is 'azure'" }] },
        {
          group: { id: 'g', name: 'Azure' },
          is: true,
          parts: [{ text: 'oem == "azure"', is: true, values: "oem is 'azure'" }],
        },
      ],
    }),
  });
  expect(screen.getByText('The expression of group Azure is the first that is true')).toBeTruthy();
  const list = screen.getByRole('list', { name: /in the order in which they are tried/ });
  const text = list.textContent.replace(/\s+/g, ' ');
  expect(text).toContain(`a group that you cannot see not true oem == "ami" not true · oem is 'azure'`);
  expect(text).toContain(`Azure true oem == "azure" true`);
  expect(within(list).getByRole('link', { name: 'Azure' }).getAttribute('href')).toBe('/apps/app/groups/g');
});

test('a machine that follows its track without any expression has no card', () => {
  render(MembershipCard, { machine: machine({ by: 'TRACK', sentence: 'its track is stable', results: [] }) });
  expect(screen.queryByText('Why it is in this group')).toBeNull();
});
