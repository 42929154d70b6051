import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import VersionBar from './VersionBar.svelte';

afterEach(cleanup);

const versions = [
  { version: '2.0.0', machines: 6, standing: 'ON_TARGET' as const },
  { version: '1.0.0', machines: 3, standing: 'BELOW_TARGET' as const },
  { version: '', machines: 1, standing: 'BELOW_TARGET' as const },
];

test('every version with a name links to its machines', () => {
  render(VersionBar, { versions, href: (version: string) => `/machines?version=${version}` });
  expect(screen.getAllByRole('link').map((link) => [link.getAttribute('href'), link.title])).toEqual([
    ['/machines?version=2.0.0', '2.0.0: 6 machines on target, 60 %'],
    ['/machines?version=1.0.0', '1.0.0: 3 machines, 30 %'],
  ]);
  expect(screen.getByTitle('unknown: 1 machine')).toBeTruthy();
});

test('segments are as wide as their share of machines', () => {
  render(VersionBar, { versions, href: String });
  const widths = screen.getAllByRole('listitem').map((item) => item.style.flexGrow);
  expect(widths).toEqual(['6', '3', '1']);
});

test('without links the bar is an image with a text alternative', () => {
  render(VersionBar, { versions });
  expect(screen.getByRole('img').getAttribute('aria-label')).toBe(
    '2.0.0: 6 machines on target; 1.0.0: 3 machines; unknown: 1 machine',
  );
  cleanup();
  render(VersionBar, { versions: [] });
  expect(screen.getByRole('img').getAttribute('aria-label')).toBe('No machines yet');
});
