import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import DeliveryRecord from './DeliveryRecord.svelte';
import NotifierDialog from './NotifierDialog.svelte';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** Reverses the text after it. */
const turn = String.fromCodePoint(0x202e);
const places = { teams: [{ id: 't', name: 'Default' }], applications: [] };

test('a new webhook reports its secret once it is made; a rejected one says why at the field', async () => {
  let rejected = true;
  const requests = fakeApi({
    CreateNotifier: () =>
      rejected
        ? outcome('must be an absolute URL', 'url')
        : {
            outcome: { created: { secret: 'whsec_x', notifier: { id: 'n', name: 'Ops' } }, userErrors: [] },
          },
  });
  const onsaved = vi.fn();
  render(NotifierDialog, { notifier: null, places, onsaved, onclose: vi.fn() });
  await fireEvent.input(screen.getByLabelText('Name'), { target: { value: 'Ops' } });
  await fireEvent.input(screen.getByLabelText('URL'), { target: { value: 'nonsense' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Create notifier' }));
  await waitFor(() => expect(screen.getByText('Must be an absolute URL')).toBeTruthy());
  expect(onsaved).not.toHaveBeenCalled();
  rejected = false;
  await fireEvent.input(screen.getByLabelText('URL'), { target: { value: 'https://example.com' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Create notifier' }));
  await waitFor(() => expect(onsaved).toHaveBeenCalledWith({ id: 'n', name: 'Ops', secret: 'whsec_x' }));
  expect(requests.at(-1)?.variables).toMatchObject({ input: { teamId: 't', url: 'https://example.com' } });
});

test('what a receiver answers cannot hide or reorder text', () => {
  const log = [
    {
      at: '2026-11-28T03:00:00Z',
      delivered: false,
      class: 'STATUS' as const,
      status: 500,
      error: `bad ${turn}gnp`,
      took: 'PT0.1S',
    },
  ];
  render(DeliveryRecord, {
    delivery: {
      id: 'd',
      type: 'test',
      summary: 'Test',
      state: 'FAILED',
      attempts: 1,
      nextAt: null,
      createdAt: '2026-11-28T03:00:00Z',
      endedAt: null,
      digestId: null,
      log,
      request: 'POST / HTTP/1.1\n\n{}',
      response: `HTTP/1.1 500 X\n\n<b>one</b>\n${turn}two`,
    },
  });
  const lines = [...screen.getByRole('region', { name: 'Answer' }).querySelectorAll('bdi')];
  expect(lines.map(({ textContent }) => textContent)).toEqual([
    'HTTP/1.1 500 X',
    '',
    '<b>one</b>',
    '⟨U+202E⟩two',
  ]);
  expect(screen.getByText('bad ⟨U+202E⟩gnp')).toBeTruthy();
  expect(screen.getByText('A test is not tried again.')).toBeTruthy();
});
