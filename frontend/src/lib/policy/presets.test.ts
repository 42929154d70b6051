import { expect, test } from 'vitest';
import { policyForm, readPolicyForm, type Policy } from './form';
import { presets } from './presets';

const fresh: Policy = {
  updatesEnabled: true,
  safeMode: true,
  maxUpdatesPerPeriod: 1,
  periodInterval: 'PT1H',
  maxConcurrentUpdates: 1,
  updateTimeout: 'PT1H',
  rebootTimeout: 'P1D',
  timezone: 'UTC',
  officeHours: false,
  windows: [],
  freezes: [],
  waves: [],
  haltFailureShare: 0.2,
  haltMinAttempts: 5,
  maxAttempts: 3,
  onDemand: 'SAME_RULES',
  pollInterval: null,
};

test.each(presets)('$label passes through the form unchanged', ({ policy }) => {
  const filled = policyForm({ ...fresh, ...policy } as Policy);
  const { input, problems } = readPolicyForm(filled, fresh);
  expect(problems).toEqual([]);
  expect({ ...fresh, ...input }).toEqual({ ...fresh, ...policy });
});
