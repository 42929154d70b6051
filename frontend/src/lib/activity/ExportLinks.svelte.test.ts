import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import ExportLinks from './ExportLinks.svelte';

afterEach(cleanup);

test('the links export the list with its filter', () => {
  const filter = { groupId: 'g', severities: ['WARNING', 'ERROR'], text: 'a & b' };
  render(ExportLinks, { list: 'activity', filter });
  const query = 'groupId=g&severities=WARNING&severities=ERROR&text=a+%26+b';
  for (const [name, format] of [
    ['CSV', 'csv'],
    ['JSON lines', 'jsonl'],
  ]) {
    const link = screen.getByRole('link', { name });
    expect(link.getAttribute('href')).toBe(`/export/activity?format=${String(format)}&${query}`);
  }
});
