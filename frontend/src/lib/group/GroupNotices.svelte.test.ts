import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import GroupNotices from './GroupNotices.svelte';

afterEach(cleanup);

test('machines with another build of the target are counted and linked', () => {
  render(GroupNotices, {
    group: {
      state: 'ROLLING_OUT',
      policyWarnings: [],
      numbers: { otherBuild: 2, rebootOverdue: 0, outage: null },
      pause: null,
      rollout: { version: '2.0.0+b', newcomers: null, stall: null },
    },
    otherBuildPath: '/builds',
  });
  const link = screen.getByRole('link', { name: '2 machines run another build of 2.0.0+b' });
  expect(link.getAttribute('href')).toBe('/builds');
});
