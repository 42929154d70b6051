import { expect, test } from 'vitest';
import { listWord, machineWord, type Situation } from './state';

const machine = (change: Partial<Situation>): Situation => ({
  state: 'COMPLETE',
  countedAs: 'ON_TARGET',
  reason: 'UP_TO_DATE',
  override: null,
  ...change,
});

test('a machine that was updated and is behind again waits', () => {
  expect(machineWord(machine({})).word).toBe('Up to date');
  expect(machineWord(machine({ countedAs: 'WAITING' })).word).toBe('Waiting');
});

test('what a person decided goes before what the machine does, unless it is on its way', () => {
  const override = { kind: 'PIN' } as const;
  expect(machineWord(machine({ countedAs: 'OVERRIDDEN', override })).word).toBe('Pinned by a person');
  expect(machineWord(machine({ countedAs: 'IN_FLIGHT', state: 'DOWNLOADING', override })).word).toBe(
    'Downloading',
  );
});

test('the reason of a hold stands in its own column, or after the word', () => {
  const held = machine({ state: 'ON_HOLD', countedAs: 'WAITING', reason: 'CONCURRENCY_LIMIT' });
  expect(listWord(held)).toEqual({ word: 'On hold', tone: 'quiet', why: 'In-flight cap' });
  expect(machineWord(held).word).toBe('On hold: in-flight cap');
});
