import { expect, test } from 'vitest';
import { instanceState, listState, machineState, type Situation } from './state';

const machine = (change: Partial<Situation>): Situation => ({
  state: 'COMPLETE',
  countedAs: 'ON_TARGET',
  reason: 'UP_TO_DATE',
  override: null,
  grant: null,
  ...change,
});

test('an updated machine below a new target is waiting', () => {
  expect(machineState(machine({})).label).toBe('Up to date');
  expect(machineState(machine({ countedAs: 'WAITING' })).label).toBe('Waiting');
});

test('a machine with another build is not up to date', () =>
  expect(machineState(machine({ countedAs: 'OTHER_BUILD' })).label).toBe('Another build of the target'));

test('a grant that was withdrawn before it began is not granted', () => {
  const granted = machine({ countedAs: 'IN_FLIGHT', state: 'GRANTED', reason: 'GRANTED' });
  expect(machineState({ ...granted, grant: {} }).label).toBe(instanceState.GRANTED.label);
  expect(machineState(granted).label).toBe('Offer withdrawn');
  expect(machineState({ ...granted, countedAs: 'WAITING' }).label).toBe('Waiting');
});

test('an override takes precedence unless an update is in flight', () => {
  const override = { kind: 'PIN' } as const;
  expect(machineState(machine({ countedAs: 'OVERRIDDEN', override })).label).toBe('Pinned');
  expect(machineState(machine({ countedAs: 'IN_FLIGHT', state: 'DOWNLOADING', override })).label).toBe(
    'Downloading',
  );
});

test('the hold reason has its own column or follows the label', () => {
  const held = machine({ state: 'ON_HOLD', countedAs: 'WAITING', reason: 'CONCURRENCY_LIMIT' });
  expect(listState(held)).toEqual({ label: 'On hold', tone: 'quiet', why: 'In-flight cap' });
  expect(machineState(held).label).toBe('On hold: in-flight cap');
});
