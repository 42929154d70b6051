import { expect, test } from 'vitest';
import { phases } from './attempt';

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 23, 14, minutes)).toISOString();
const never = { downloadingAt: null, downloadedAt: null, installedAt: null, endedAt: null };

test('each step lasts until the next one that was reported', () =>
  expect(
    phases(
      { grantedAt: at(0), downloadingAt: at(2), downloadedAt: at(7), installedAt: at(9), endedAt: at(10) },
      new Date(at(50)),
    ),
  ).toEqual([
    { word: 'offered', seconds: 120 },
    { word: 'downloading', seconds: 300 },
    { word: 'installing', seconds: 120 },
    { word: 'rebooting', seconds: 60 },
  ]));

test('a step that was not reported belongs to the one before', () =>
  expect(
    phases({ ...never, grantedAt: at(0), installedAt: at(5), endedAt: at(6) }, new Date(at(50))),
  ).toEqual([
    { word: 'offered', seconds: 300 },
    { word: 'rebooting', seconds: 60 },
  ]));

test('an open attempt goes on', () =>
  expect(phases({ ...never, grantedAt: at(0), downloadingAt: at(1) }, new Date(at(4)))).toEqual([
    { word: 'offered', seconds: 60 },
    { word: 'downloading', seconds: 180 },
  ]));

test('a clock that is behind the server counts nothing backwards', () =>
  expect(phases({ ...never, grantedAt: at(5) }, new Date(at(4)))[0]?.seconds).toBe(0));
