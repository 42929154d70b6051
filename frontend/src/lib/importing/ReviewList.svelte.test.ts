import { cleanup, fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import '$lib/group/ControlDialog.svelte'; // loaded before its button asks for it
import { may } from '$lib/ui/may.svelte';
import ReviewList from './ReviewList.svelte';

const group = (id: string, by: string | null, permissions = ['resumeUpdates']) => ({
  id,
  name: `Group ${id}`,
  arch: 'amd64',
  permissions,
  revision: 3,
  requireApproval: false,
  state: 'PAUSED' as const,
  pause: by === null ? null : { by, reason: 'imported, not yet reviewed' },
  rollout: null,
});

const applications = (...groups: ReturnType<typeof group>[]) => [{ id: 'a', name: 'Our OS', groups }];

let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  may.set('OPERATOR', ['resumeUpdates'], { resumeUpdates: 'OPERATOR' });
  requests = fakeApi({
    ControlImpact: () => ({ controlImpact: { sentence: '40 machines' } }),
    Resume: () => outcome(),
  });
});

afterEach(() => {
  cleanup();
  may.clear();
  vi.unstubAllGlobals();
});

test('only groups that the import paused are listed, with their policy', () => {
  const groups = [group('1', 'coreroller import'), group('2', 'ana'), group('3', null)];
  render(ReviewList, { applications: applications(...groups) });
  const list = screen.getByRole('list', { name: 'Groups that arrived paused' });
  expect(within(list).getAllByRole('listitem')).toHaveLength(1);
  expect(screen.getByRole('link', { name: 'Our OS · Group 1' }).getAttribute('href')).toBe(
    '/apps/a/groups/1',
  );
  expect(screen.getByRole('link', { name: 'Policy of Group 1' }).getAttribute('href')).toBe(
    '/apps/a/groups/1/policy',
  );
  expect(screen.getByText('Review 1 paused group')).toBeTruthy();
});

test('without such groups it says that nothing is left', () => {
  render(ReviewList, { applications: applications(group('2', 'ana')) });
  expect(screen.getByText('No group waits for a review')).toBeTruthy();
  expect(screen.queryByRole('list')).toBeNull();
});

test('a group is resumed with a reason', async () => {
  render(ReviewList, { applications: applications(group('1', 'coreroller import')) });
  await fireEvent.click(screen.getByRole('button', { name: 'Resume Group 1' }));
  await fireEvent.input(await screen.findByLabelText('Reason (required)'), { target: { value: 'reviewed' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Resume' }));
  await vi.waitFor(() =>
    expect(requests.at(-1)).toEqual({
      name: 'Resume',
      variables: { groupId: '1', reason: 'reviewed', revision: 3 },
    }),
  );
});

test('who may not resume a group sees why', () => {
  render(ReviewList, { applications: applications(group('1', 'coreroller import', [])) });
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Resume Group 1' });
  expect(button.disabled).toBe(true);
  expect(button.title).toBe('Needs the role operator on this group; you may only read it.');
});

test('twenty of many groups are shown, and all on request', async () => {
  const groups = Array.from({ length: 23 }, (_, i) => group(String(i), 'coreroller import'));
  render(ReviewList, { applications: applications(...groups) });
  expect(screen.getAllByRole('listitem')).toHaveLength(20);
  await fireEvent.click(screen.getByRole('button', { name: 'Show all 23' }));
  const rows = screen.getAllByRole('listitem');
  expect(rows).toHaveLength(23);
  await vi.waitFor(() => expect(document.activeElement).toBe(rows[20]));
});
