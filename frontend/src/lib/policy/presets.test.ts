import { expect, test } from 'vitest';
import { initialPolicy } from './fields';
import { policyForm, readPolicyForm, type Policy } from './form';
import { presets } from './presets';

test.each(presets)('$label passes through the form unchanged', ({ policy }) => {
  const filled = policyForm({ ...initialPolicy, ...policy } as Policy);
  const { input, problems } = readPolicyForm(filled, initialPolicy);
  expect(problems).toEqual([]);
  expect({ ...initialPolicy, ...input }).toEqual({ ...initialPolicy, ...policy });
});
