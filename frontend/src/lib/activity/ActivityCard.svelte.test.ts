import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Connection } from '$lib/api/connection.svelte';
import { FakeSocket } from '$lib/api/fake-socket';
import ActivityCard from './ActivityCard.svelte';
import { ActivityFeed } from './feed.svelte';
import type { Activity } from './activity';

const entry = (id: string, version: string): Activity => ({
  id,
  at: '2026-11-23T14:02:05Z',
  kind: 'ROLLOUT_STARTED',
  severity: 'INFO',
  applicationId: 'a',
  applicationName: 'Edge agent',
  groupId: 'g',
  groupName: 'Production',
  channelName: 'stable',
  instanceId: null,
  machineId: '',
  version,
  actor: '',
  detail: `the rollout of ${version} started`,
});

const added = (snapshot: boolean, ...activities: Activity[]) => ({ activityAdded: { snapshot, activities } });
const lines = () =>
  screen.getAllByRole('listitem').map((item) => /rollout of (\S+)/.exec(item.textContent)?.[1]);

let socket: FakeSocket;
let end: () => void;

beforeEach(async () => {
  FakeSocket.opened = [];
  const connection = new Connection({
    url: 'ws://test/',
    onsignedout: () => undefined,
    WebSocket: FakeSocket,
  });
  let feed: ActivityFeed | undefined;
  end = $effect.root(() => {
    feed = new ActivityFeed(connection, () => null);
  });
  flushSync();
  socket = await FakeSocket.number(0);
  await socket.answer(added(true, entry('1', '1.0.0')));
  render(ActivityCard, { feed: feed as ActivityFeed });
});

afterEach(() => {
  cleanup();
  end();
});

test('new entries appear at the top', () => {
  socket.next(added(false, entry('2', '2.0.0')));
  flushSync();
  expect(lines()).toEqual(['2.0.0', '1.0.0']);
});

test('while frozen, new entries wait and are counted', async () => {
  await fireEvent.click(screen.getByRole('button', { name: 'Freeze' }));
  socket.next(added(false, entry('2', '2.0.0')));
  flushSync();
  expect(lines()).toEqual(['1.0.0']);
  await fireEvent.click(screen.getByRole('button', { name: '1 new' }));
  expect(lines()).toEqual(['2.0.0', '1.0.0']);

  socket.next(added(false, entry('3', '3.0.0')));
  flushSync();
  expect(lines()).toEqual(['2.0.0', '1.0.0']);
  await fireEvent.click(screen.getByRole('button', { name: 'Follow' }));
  expect(lines()).toEqual(['3.0.0', '2.0.0', '1.0.0']);
});

test('entries do not move under the pointer', async () => {
  const list = screen.getByRole('list');
  await fireEvent.pointerEnter(list);
  socket.next(added(false, entry('2', '2.0.0')));
  flushSync();
  expect(lines()).toEqual(['1.0.0']);
  await fireEvent.pointerLeave(list);
  expect(lines()).toEqual(['2.0.0', '1.0.0']);
});

test('a snapshot after a reconnect replaces the entries', () => {
  socket.next(added(true, entry('9', '9.0.0')));
  flushSync();
  expect(lines()).toEqual(['9.0.0']);
});
