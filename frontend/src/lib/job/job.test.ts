import { expect, test } from 'vitest';
import { asResult, controlNeeds, jobTitle, resultCounts, resultLabel, type Job } from './job';

const job: Job = {
  id: 'j',
  createdAt: '2026-11-28T03:13:00Z',
  createdBy: 'ops-1',
  action: 'HOLD',
  selection: 'group production',
  reason: '',
  until: null,
  version: '',
  state: 'RUNNING',
  machines: 312,
  done: 189,
  afterUpdate: 2,
  skipped: 5,
  failed: 2,
  pending: 114,
  changedAt: '2026-11-28T03:13:09Z',
  stoppedBy: '',
};

test('a job is named by its action and its machines', () => {
  expect(jobTitle(job)).toBe('Hold 312 machines');
  expect(jobTitle({ ...job, action: 'PIN', version: '2.0.0', machines: 1 })).toBe('Pin 1 machine to 2.0.0');
  expect(jobTitle({ ...job, action: 'FREE_FROM_QUARANTINE' })).toBe('Free 312 machines from quarantine');
});

test('the counts add up, failures first', () => {
  const counts = resultCounts(job);
  expect(counts[0]).toEqual({ result: 'FAILED', machines: 2 });
  expect(counts.reduce((sum, { machines }) => sum + machines, 0)).toBe(job.machines);
});

test('results are named by the action', () => {
  expect(resultLabel('HOLD', 'AFTER_UPDATE')).toBe('Held after update');
  expect(resultLabel('FORGET', 'DONE')).toBe('Forgotten');
  expect(asResult('FAILED')).toBe('FAILED');
  expect(asResult('toString')).toBe(null);
});

test('a job that forgets machines is controlled by who may forget them', () => {
  expect(controlNeeds(job, 'stopMachineJob')).toBe('stopMachineJob');
  expect(controlNeeds({ ...job, action: 'FORGET' }, 'stopMachineJob')).toBe('forgetInstances');
});
