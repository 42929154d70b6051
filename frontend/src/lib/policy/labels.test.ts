import { expect, test } from 'vitest';
import { initialPolicy as before } from './fields';
import { policyForm, readPolicyForm, type Policy } from './form';
import { differences, rebase } from './labels';

const wave = {
  share: 0.5,
  canaries: [],
  expression: '',
  soak: 'PT0S',
  minFinished: 0,
  minSuccessShare: 0,
  approval: false,
};
const after: Policy = {
  ...before,
  maxUpdatesPerPeriod: 20,
  periodInterval: 'PT15M',
  waves: [wave],
  safeMode: false,
};

test('differences use the labels of the form', () => {
  expect(differences(before, before)).toEqual([]);
  expect(differences(before, after)).toEqual([
    { label: 'Safe mode', before: 'on', after: 'off' },
    { label: 'Machines per period', before: '1', after: '20' },
    { label: 'Period', before: '1 h', after: '15 min' },
    { label: 'Waves', before: 'none', after: '50 %' },
  ]);
});

test('edits are kept over changes of another user', () => {
  const form = policyForm(before);
  form.periodInterval = '2 h';
  form.maxAttempts = '4';
  const merged = rebase(form, before, after);
  expect(readPolicyForm(merged, after).input).toEqual({ periodInterval: 'PT2H', maxAttempts: 4 });
  expect(merged.maxUpdatesPerPeriod).toBe('20');
});
