import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import GroupNotices from './GroupNotices.svelte';

afterEach(cleanup);

const halt = {
  rule: 'FAILURE_SHARE' as const,
  sentence: 'too many attempts failed',
  at: '2026-11-23T14:02:05Z',
  failed: 7,
  finished: 20,
  failureShareLimit: 0.3,
  by: '',
  reason: '',
  machineIds: ['machine-one', 'machine-two'],
  cameBack: 0,
};
type Halt = Omit<typeof halt, 'rule'> & { rule: 'FAILURE_SHARE' | 'SAFE_MODE' | 'PERSON' };

function show(change: Partial<Halt>, state: 'HALTED' | 'ROLLING_OUT' = 'HALTED', otherBuild = 0) {
  render(GroupNotices, {
    group: {
      state,
      policyWarnings: [],
      numbers: { otherBuild, rebootOverdue: 0, outage: null },
      pause: null,
      rollout: { version: '2.0.0+b', newcomers: null, stall: null, halt: { ...halt, ...change } },
    },
    searchPath: (text: string) => `/search/${text}`,
    otherBuildPath: '/builds',
    failurePath: () => '/failures',
  });
}

test('a halt by a rule shows the rule, the numbers and the failed machines', () => {
  show({});
  const notice = screen.getByRole('status');
  expect(notice.textContent).toContain('Halted by the rule “failure share”');
  expect(notice.textContent?.replace(/\s+/g, ' ')).toContain(
    '7 of 20 finished attempts failed; the limit is 30 %.',
  );
  expect(screen.getAllByRole('link').map((link) => link.getAttribute('href'))).toEqual([
    '/failures',
    '/search/machine-two',
    '/search/machine-one',
  ]);
});

test('a halt by a user shows user and reason, and no limit', () => {
  show({
    rule: 'PERSON',
    by: 'ana',
    reason: 'boot loops',
    failed: 0,
    finished: 4,
    failureShareLimit: 0,
    machineIds: [],
  });
  const text = screen.getByRole('status').textContent?.replace(/\s+/g, ' ');
  expect(text).toContain('Halted by ana: “boot loops”');
  expect(text).toContain('4 attempts finished, none failed.');
  expect(text).not.toContain('limit');
});

test('machines that came back are counted, and the halt stays', () => {
  show({ cameBack: 1 });
  expect(screen.getByRole('status').textContent?.replace(/\s+/g, ' ')).toContain(
    '1 machine came back since then. The rollout stays halted until you resume it.',
  );
});

test('machines with another build of the target are counted and linked', () => {
  show({}, 'ROLLING_OUT', 2);
  const link = screen.getByRole('link', { name: '2 machines run another build of 2.0.0+b' });
  expect(link.getAttribute('href')).toBe('/builds');
});

test('a halt that has ended is not shown', () => {
  show({}, 'ROLLING_OUT');
  expect(screen.queryByRole('status')).toBeNull();
});
