import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import DeleteDialog from './DeleteDialog.svelte';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('deleting a group needs a reason and its name', async () => {
  const requests = fakeApi({
    DeletionImpact: () => ({
      deletionImpact: {
        sentence: '12 machines lose their group',
        warnings: ['group "Shops" has 12 machines'],
      },
    }),
    DeleteGroup: () => outcome(),
  });
  const ondeleted = vi.fn();
  render(DeleteDialog, { what: 'group', id: 'g', name: 'Shops', ondeleted, onclose: vi.fn() });
  expect(await screen.findByText('12 machines lose their group.')).toBeTruthy();
  expect(screen.getByRole('list', { name: 'Relies on it' }).textContent).toContain('has 12 machines');
  const confirm = screen.getByRole('button', { name: 'Delete group' });

  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'closed' } });
  await fireEvent.input(screen.getByLabelText('Type “Shops” to confirm'), { target: { value: 'Shop' } });
  await fireEvent.click(confirm);
  expect(await screen.findByText('The name is “Shops”.')).toBeTruthy();
  expect(requests.some(({ name }) => name === 'DeleteGroup')).toBe(false);

  await fireEvent.input(screen.getByLabelText('Type “Shops” to confirm'), { target: { value: 'Shops' } });
  await fireEvent.click(confirm);
  await waitFor(() => expect(ondeleted).toHaveBeenCalledOnce());
  expect(requests.at(-1)?.variables).toEqual({ id: 'g', reason: 'closed', force: true });
});
