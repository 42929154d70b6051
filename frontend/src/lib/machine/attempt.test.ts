import { expect, test } from 'vitest';
import { phases } from './attempt';

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 23, 14, minutes)).toISOString();
const never = { downloadingAt: null, downloadedAt: null, installedAt: null, endedAt: null };

test('each step lasts until the next reported step', () =>
  expect(
    phases(
      { grantedAt: at(0), downloadingAt: at(2), downloadedAt: at(7), installedAt: at(9), endedAt: at(10) },
      new Date(at(50)),
    ),
  ).toEqual([
    { label: 'offered', seconds: 120 },
    { label: 'downloading', seconds: 300 },
    { label: 'installing', seconds: 120 },
    { label: 'rebooting', seconds: 60 },
  ]));

test('a step without a report counts to the step before', () =>
  expect(
    phases({ ...never, grantedAt: at(0), installedAt: at(5), endedAt: at(6) }, new Date(at(50))),
  ).toEqual([
    { label: 'offered', seconds: 300 },
    { label: 'rebooting', seconds: 60 },
  ]));

test('the last step of an attempt in progress lasts until now', () =>
  expect(phases({ ...never, grantedAt: at(0), downloadingAt: at(1) }, new Date(at(4)))).toEqual([
    { label: 'offered', seconds: 60 },
    { label: 'downloading', seconds: 180 },
  ]));

test('durations are never negative', () =>
  expect(phases({ ...never, grantedAt: at(5) }, new Date(at(4)))[0]?.seconds).toBe(0));
