import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Activity } from '$lib/activity/activity';
import type { Connection } from '$lib/api/connection.svelte';
import { fakeApi } from '$lib/api/fake-api';
import { session } from '$lib/api/session.svelte';
import ActivityPage from './ActivityPage.svelte';

const found: Activity = {
  id: 'old',
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
  version: '1.0.0',
  actor: '',
  detail: 'the rollout of 1.0.0 started',
};

let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  const connection = { subscribe: () => () => undefined } as unknown as Connection;
  vi.spyOn(session, 'connection', 'get').mockReturnValue(connection);
  requests = fakeApi({
    ActivityFilters: () => ({ applications: [] }),
    // The first page of a search looks at the newest entries and finds nothing.
    ActivityPage: ({ after }) => ({
      activities: after
        ? { nodes: [found], pageInfo: { hasNextPage: false, endCursor: 'end' } }
        : { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'further' } },
    }),
  });
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('a search without a match in the newest entries goes on further back', async () => {
  render(ActivityPage);
  await screen.findByText('No match in the newest entries. Load older to search further back.');
  expect(screen.queryByText('No older entries.')).toBeNull();
  await fireEvent.click(screen.getByRole('button', { name: 'Load older' }));
  await screen.findByText(/the rollout of 1\.0\.0 started/);
  expect(requests.at(-1)?.variables['after']).toBe('further');
  expect(screen.queryByText(/No match in the newest entries/)).toBeNull();
  await screen.findByText('No older entries.');
});
