import { cleanup, render, screen, within } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import MachineMembership from './MachineMembership.svelte';

afterEach(cleanup);

test('the reason, each expression and its comparisons are texts, not colours', () => {
  render(MachineMembership, {
    applicationId: 'a',
    membership: {
      by: 'EXPRESSION',
      sentence: 'the expression of group Azure is true, and that of no group before it',
      results: [
        {
          group: null,
          is: false,
          parts: [{ text: 'oem == "gce"', is: false, values: "oem is 'azure\u202e'" }],
        },
        {
          group: { id: 'g', name: 'Azure' },
          is: true,
          parts: [{ text: 'oem == "azure"', is: true, values: "oem is 'azure'" }],
        },
      ],
    },
  });
  expect(
    screen.getByText('The expression of group Azure is true, and that of no group before it.'),
  ).toBeTruthy();
  const list = screen.getByRole('list', { name: 'Expressions in order of evaluation' });
  const texts = within(list)
    .getAllByRole('listitem')
    .map((item) => item.textContent.replace(/\s+/g, ' ').trim());
  expect(texts).toEqual([
    `Another group false false oem == "gce" oem is 'azure⟨U+202E⟩'`,
    `false oem == "gce" oem is 'azure⟨U+202E⟩'`,
    `Azure true true oem == "azure" oem is 'azure'`,
    `true oem == "azure" oem is 'azure'`,
  ]);
  expect(screen.getByRole('link', { name: 'Azure' }).getAttribute('href')).toBe('/apps/a/groups/g');
});
