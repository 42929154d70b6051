import { expect, test } from 'vitest';
import { initialPolicy } from './fields';
import { policyForm, problemOf, readPolicyForm, type Policy, type PolicyForm } from './form';

const policy: Policy = {
  ...initialPolicy,
  maxUpdatesPerPeriod: 10,
  periodInterval: 'PT15M',
  maxConcurrentUpdates: 5,
  timezone: 'Europe/Berlin',
  windows: [{ days: ['SATURDAY', 'SUNDAY'], start: '22:00', end: '04:00' }],
  freezes: [{ from: '2026-12-23T23:00:17Z', until: '2027-01-01T23:00:00Z', reason: 'holidays' }],
  waves: [
    {
      share: 0,
      canaries: ['a', 'b'],
      expression: "'x' in tags",
      soak: 'PT1H',
      minFinished: 2,
      minSuccessShare: 1,
      approval: true,
    },
    {
      share: 0.07,
      canaries: [],
      expression: '',
      soak: 'PT0S',
      minFinished: 0,
      minSuccessShare: 1 / 3,
      approval: false,
    },
  ],
};

const changed = (change: (form: PolicyForm) => void) => {
  const form = policyForm(policy);
  change(form);
  return readPolicyForm(form, policy);
};

test('the form shows values as users type them', () => {
  const form = policyForm(policy);
  expect(form.periodInterval).toBe('15 min');
  expect(form.freezes[0]).toEqual({
    from: '2026-12-24T00:00',
    until: '2027-01-02T00:00',
    reason: 'holidays',
  });
  expect(form.waves.map(({ share }) => share)).toEqual(['0', '7']);
  expect(form.haltFailureShare).toBe('20');
  expect(form.pollInterval).toBe('');
});

test('unedited fields are left out, whatever their precision', () =>
  expect(changed(() => undefined)).toEqual({ input: {}, problems: [] }));

test('only edited fields are sent', () => {
  expect(changed((form) => (form.haltFailureShare = '7 %')).input).toEqual({ haltFailureShare: 0.07 });
  expect(changed((form) => (form.periodInterval = '2 hours')).input).toEqual({ periodInterval: 'PT2H' });
  expect(changed((form) => (form.pollInterval = '10 min')).input).toEqual({ pollInterval: 'PT10M' });
});

test('lists are sent in full', () => {
  const { input } = changed((form) => {
    form.waves.splice(0, 1);
    form.windows = [{ days: ['SUNDAY', 'MONDAY'], start: '01:00', end: '05:00' }];
  });
  expect(input.waves).toEqual([
    {
      share: 0.07,
      canaries: [],
      expression: '',
      soak: 'PT0S',
      minFinished: 0,
      minSuccessShare: 0.33333333,
      approval: false,
    },
  ]);
  expect(input.windows).toEqual([{ days: ['MONDAY', 'SUNDAY'], start: '01:00', end: '05:00' }]);
});

test('times of day have short forms', () => {
  const { input, problems } = changed((form) => {
    form.windows = [{ days: ['MONDAY'], start: '9:00', end: '2400' }];
  });
  expect(problems).toEqual([]);
  expect(input.windows).toEqual([{ days: ['MONDAY'], start: '09:00', end: '24:00' }]);
  for (const start of ['25:00', '12:60', 'noon', '24:01'])
    expect(
      changed((form) => (form.windows = [{ days: ['MONDAY'], start, end: '5:00' }])).problems,
    ).toHaveLength(1);
});

test('canaries are separated by line, comma or space', () =>
  expect(
    changed((form) => {
      if (form.waves[0]) form.waves[0].canaries = 'a\n b,c\n\n';
    }).input.waves?.[0]?.canaries,
  ).toEqual(['a', 'b', 'c']));

test('changing the zone moves the freezes', () =>
  expect(changed((form) => (form.timezone = 'UTC')).input).toEqual({
    timezone: 'UTC',
    freezes: [{ from: '2026-12-24T00:00:00.000Z', until: '2027-01-02T00:00:00.000Z', reason: 'holidays' }],
  }));

test('the poll interval can be removed', () => {
  const withInterval = { ...policy, pollInterval: 'PT10M' };
  expect(readPolicyForm({ ...policyForm(withInterval), pollInterval: ' ' }, withInterval).input).toEqual({
    pollInterval: null,
  });
});

test('fields that cannot be parsed are reported', () => {
  const { problems } = changed((form) => {
    form.maxUpdatesPerPeriod = 'many';
    form.updateTimeout = '60';
    form.haltFailureShare = '';
    form.windows.push({ days: [], start: '', end: '04:00' });
    form.freezes.push({ from: '', until: '2027-01-02T00:00', reason: '' });
    if (form.waves[1]) form.waves[1].soak = 'a while';
  });
  expect(problems.map(({ field }) => field).sort()).toEqual([
    'policy.freezes[1].from',
    'policy.haltFailureShare',
    'policy.maxUpdatesPerPeriod',
    'policy.updateTimeout',
    'policy.waves[1].soak',
    'policy.windows[1].start',
  ]);
  expect(problemOf(problems, 'waves[1].soak')).toContain('15 min');
  expect(problemOf(problems, 'waves[0].soak')).toBeUndefined();
});
