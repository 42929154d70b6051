import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import type { ComponentProps } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import MachineLabels from './MachineLabels.svelte';

const machine = {
  id: 'm',
  attributes: [
    { name: 'oem', value: 'ami', source: 'MACHINE', setBy: '' },
    { name: 'rack', value: '3', source: 'USER', setBy: 'ana' },
  ],
  tags: [{ name: 'canary', setBy: 'ana' }],
} as unknown as ComponentProps<typeof MachineLabels>['machine'];

let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  requests = fakeApi({ LabelInstance: () => outcome() });
});
afterEach(cleanup);

test('attributes show their source, and only those of users can be removed', () => {
  render(MachineLabels, { machine });
  expect(screen.getByText('sent by the machine')).toBeTruthy();
  expect(screen.getByText('set by ana')).toBeTruthy();
  expect(screen.queryByRole('button', { name: 'Remove attribute oem' })).toBeNull();
  expect(screen.getByRole('button', { name: 'Remove attribute rack' })).toBeTruthy();
});

test('a tag is added and removed', async () => {
  render(MachineLabels, { machine });
  await fireEvent.input(screen.getByLabelText('Tag or attribute'), { target: { value: 'rack=4' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Add' }));
  await waitFor(() =>
    expect(JSON.stringify(requests)).toContain('"setAttributes":[{"name":"rack","value":"4"}]'),
  );
  const remove = screen.getByRole<HTMLButtonElement>('button', { name: 'Remove tag canary' });
  await waitFor(() => expect(remove.disabled).toBe(false));
  await fireEvent.click(remove);
  await waitFor(() => expect(JSON.stringify(requests)).toContain('"removeTags":["canary"]'));
});
