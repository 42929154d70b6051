import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import { may } from '$lib/ui/may.svelte';
import FlatcarCard from './FlatcarCard.svelte';

afterEach(() => {
  cleanup();
  may.clear();
  vi.unstubAllGlobals();
});

function open(upstreams: { id: string; kind: string; enabled: boolean }[], permissions = ['followFlatcar']) {
  may.set('ADMIN', permissions, { followFlatcar: 'ADMIN' });
  const requests = fakeApi({
    FlatcarMirror: () => ({ application: { permissions }, upstreams }),
    FollowFlatcar: () => outcome(),
    UpdateMirror: () => outcome(),
  });
  render(FlatcarCard);
  return requests;
}

const theSwitch = () => screen.findByRole('switch', { name: 'Mirror the public Flatcar server' });

test('nothing is asked until it is switched on', async () => {
  const requests = open([{ id: 'u', kind: 'OMAHA', enabled: true }]);
  expect((await theSwitch()).getAttribute('aria-checked')).toBe('false');
  expect(requests.map(({ name }) => name)).toEqual(['FlatcarMirror']);
  await fireEvent.click(await theSwitch());
  await waitFor(() => expect(requests).toContainEqual({ name: 'FollowFlatcar', variables: { input: {} } }));
});

test('an existing mirror is switched, not made again', async () => {
  const requests = open([{ id: 'u', kind: 'FLATCAR', enabled: true }]);
  expect((await theSwitch()).getAttribute('aria-checked')).toBe('true');
  await fireEvent.click(await theSwitch());
  const variables = { input: { id: 'u', enabled: false } };
  await waitFor(() => expect(requests).toContainEqual({ name: 'UpdateMirror', variables }));
});

test('without the role it is disabled and says why', async () => {
  open([], []);
  expect(await theSwitch()).toHaveProperty('disabled', true);
  expect(screen.getByText(/Needs the role admin on this application/)).toBeTruthy();
});
