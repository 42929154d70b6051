import { describe, expect, test } from 'vitest';
import { lastChangeOf } from './last-change';
import type { Mirror, MirrorChannel } from './mirror';
import { channelState, hasReason, summaryOf } from './state';
import { folderOf } from './template';

const at = (minute: number) => new Date(Date.UTC(2026, 11, 1, 3, minute)).toISOString();

function row(
  change: Partial<MirrorChannel> = {},
  channel: Partial<MirrorChannel['channel']> = {},
): MirrorChannel {
  return {
    id: 'r',
    track: 'stable',
    mode: 'IMPORT',
    hostFiles: false,
    extraFiles: ['*'],
    upstreamVersion: '4459.2.1',
    withdrawn: false,
    problem: '',
    lastRunAt: at(4),
    nextRunAt: at(34),
    failingSince: null,
    failures: 0,
    lastError: '',
    channel: {
      id: 'c',
      name: 'stable',
      color: '#10b981',
      arch: 'amd64',
      promotedAt: null,
      promotedBy: '',
      promotionNeedsApproval: false,
      package: { id: 'p', version: '4459.2.1' },
      ...channel,
    },
    ...change,
  };
}

const older = { package: { id: 'p', version: '4459.2.0' } };
const label = (one: MirrorChannel, enabled = true) => channelState(one, enabled).label;

describe('the state of a row', () => {
  test('says whether the upstream is followed', () => {
    expect(label(row({ lastRunAt: null, upstreamVersion: '' }))).toBe('First run');
    expect(label(row({ upstreamVersion: '' }))).toBe('Nothing offered');
    expect(label(row())).toBe('Up to date');
    expect(label(row({}, { package: { id: 'p', version: '4500.0.0' } }))).toBe('Up to date');
    expect(label(row(), false)).toBe('Off');
  });

  test('depends on the mode while the upstream is ahead', () => {
    expect(label(row({ mode: 'NOTIFY' }, older))).toBe('New version');
    expect(label(row({ mode: 'IMPORT' }, older))).toBe('Imported');
    expect(label(row({ mode: 'IMPORT' }, { package: null }))).toBe('Imported');
    expect(label(row({ mode: 'PROMOTE' }, older))).toBe('Next run promotes');
    expect(label(row({ mode: 'PROMOTE' }, { ...older, promotionNeedsApproval: true }))).toBe(
      'Needs approval',
    );
  });

  test('puts what went wrong first, and only that opens the row', () => {
    const problem = 'the upstream offers 4459.1.0 now';
    expect(label(row({ problem }, older))).toBe('Not followed');
    expect(label(row({ problem, withdrawn: true }))).toBe('Withdrawn upstream');
    const failing = { problem, withdrawn: true, failingSince: at(1), lastError: 'no route' };
    expect(label(row({ ...failing, failures: 1 }))).toBe('Failing');
    expect(label(row({ ...failing, failures: 9 }))).toBe('Failing, 9 runs');
    expect(hasReason(channelState(row({ ...failing }), true))).toBe(true);
    expect(hasReason(channelState(row({ ...failing }), false))).toBe(false);
    expect(hasReason(channelState(row({}, older), true))).toBe(false);
  });
});

test('the numbers leave out mirrors that are off', () => {
  const mirror = (enabled: boolean, ...channels: MirrorChannel[]) =>
    ({ enabled, channels }) as unknown as Mirror;
  const summary = summaryOf([
    mirror(
      true,
      row(),
      row({ failingSince: at(1), failures: 2 }),
      row({ lastRunAt: at(8), nextRunAt: at(18) }, older),
    ),
    mirror(false, row({ failingSince: at(1), lastRunAt: at(9), nextRunAt: at(10) })),
  ]);
  expect([summary.channels, summary.current, summary.failing.length, summary.waiting.length]).toEqual([
    3, 1, 1, 1,
  ]);
  expect([summary.lastRunAt, summary.nextRunAt]).toEqual([at(8), at(18)]);
});

test('the last change is that of a run or of a person', () => {
  const run = {
    outcome: 'CHANGED',
    changes: ['imported 4459.2.1'],
    upstreamChannel: { id: 'r' },
    endedAt: at(5),
  };
  const failed = { ...run, outcome: 'FAILED', changes: ['imported 1'], endedAt: at(9) };
  expect(lastChangeOf(row(), [failed, run])).toMatchObject({ text: 'imported 4459.2.1', at: at(5) });
  const promoted = row({}, { promotedAt: at(6), promotedBy: 'ops-1' });
  expect(lastChangeOf(promoted, [run])).toMatchObject({ text: 'promoted by ops-1', at: at(6) });
  const found = { ...run, changes: ['imported 2', 'found 2, which waits for a person'] };
  expect(lastChangeOf(row(), [found])?.text).toBe('imported 2');
  expect(lastChangeOf(row(), [{ ...run, changes: ['found 2, which waits for a person'] }])?.text).toBe(
    'found 2',
  );
  expect(lastChangeOf(row(), [{ ...run, upstreamChannel: { id: 'other' } }])).toBeNull();
});

test('a template gives the folder of a version', () => {
  const folder = 'https://files.example.com/4459.2.1+x/amd64/'.replace('+', '%2B');
  expect(folderOf(' https://files.example.com/{{VERSION}}/{{ARCH}}', 'amd64', '4459.2.1+x')).toBe(folder);
  expect(folderOf('https://files.example.com/{{VERSION}}/', 'amd64', '1.0.0')).toBe(
    'https://files.example.com/1.0.0/',
  );
});
