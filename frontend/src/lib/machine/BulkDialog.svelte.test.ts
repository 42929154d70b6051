import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import type { BulkAction, Impact } from './bulk';
import BulkDialog from './BulkDialog.svelte';

const impact = (change: Partial<Impact> = {}): { machineJobImpact: Impact } => ({
  machineJobImpact: {
    asOf: '2026-11-28T03:12:40Z',
    machines: 312,
    isExact: true,
    counted: 312,
    now: 300,
    afterUpdate: 7,
    skipped: 5,
    selection: 'group production, OEM ami',
    outcomes: [
      { result: 'DONE', text: 'are held at once', machines: 300 },
      { result: 'AFTER_UPDATE', text: 'finish their update, then are held', machines: 7 },
      { result: 'SKIPPED', text: 'are held or pinned already', machines: 5 },
    ],
    ...change,
  },
});

let preview = impact();
let answers: (() => unknown)[] = [];
let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  preview = impact();
  answers = [];
  requests = fakeApi({
    MachineJobImpact: () => preview,
    MoveTargets: () => ({
      applications: [
        { id: 'a', name: 'Agent', groups: [{ id: 'g', name: 'production', arch: 'amd64' }] },
        { id: 'b', name: 'Other', groups: [{ id: 'h', name: 'elsewhere', arch: 'amd64' }] },
      ],
    }),
    StartMachineJob: () => answers.shift()?.() ?? { outcome: { job: { id: 'j' }, userErrors: [] } },
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function open(kind: BulkAction) {
  const onstarted = vi.fn();
  render(BulkDialog, {
    kind,
    filter: { groupId: 'g' },
    applicationId: 'a',
    onstarted,
    onclose: vi.fn(),
  });
  return onstarted;
}

const started = () =>
  requests.filter(({ name }) => name === 'StartMachineJob').map(({ variables }) => variables);
const write = (reason: string) =>
  fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: reason } });

test('the preview splits the number, and the button carries the machines that change', async () => {
  const onstarted = open('HOLD');
  expect(await screen.findByRole('heading', { name: 'Hold 312 machines' })).toBeTruthy();
  const lines = screen.getAllByRole('listitem').map((line) => line.textContent.replace(/\s+/g, ' ').trim());
  expect(lines).toEqual([
    '300 are held at once',
    '7 finish their update, then are held',
    '5 are held or pinned already, skipped',
  ]);
  await write('ami images drop the network');
  await fireEvent.click(screen.getByRole('button', { name: 'Hold 307 machines' }));
  await waitFor(() => expect(onstarted).toHaveBeenCalledWith('j'));
  expect(started()).toEqual([
    {
      input: {
        filter: { groupId: 'g' },
        action: { kind: 'HOLD', replace: false, until: expect.any(String) as string },
        reason: 'ami images drop the network',
        expectedCount: 312,
        requestId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      },
    },
  ]);
});

test('nothing is sent without a reason', async () => {
  open('FORGET');
  await fireEvent.click(await screen.findByRole('button', { name: 'Forget 307 machines' }));
  expect(screen.getByText(/Enter a reason/)).toBeTruthy();
  expect(started()).toEqual([]);
});

test('a replaced hold is counted again', async () => {
  open('HOLD');
  await fireEvent.click(await screen.findByLabelText('Replace the 5 existing holds and pins'));
  await waitFor(() =>
    expect(requests.at(-1)?.variables).toEqual({
      filter: { groupId: 'g' },
      action: { kind: 'HOLD', replace: true },
    }),
  );
});

test('a large list is not promised exactly', async () => {
  preview = impact({ machines: 77_000, counted: 10_000 });
  open('RELEASE');
  expect(await screen.findByText('Of the first 10,000 machines:')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Release up to 77,000 machines' })).toBeTruthy();
});

test('a pin is previewed once it has a version', async () => {
  open('PIN');
  await write('known bad above');
  await fireEvent.click(screen.getByRole('button', { name: 'Pin' }));
  expect(screen.getByText('Enter a version.')).toBeTruthy();
  expect(requests).toEqual([]);
  await fireEvent.input(screen.getByLabelText('Maximum version'), { target: { value: ' 4459.2.0 ' } });
  await screen.findByRole('button', { name: 'Pin 307 machines' });
  expect(requests.at(-1)?.variables['action']).toEqual({ kind: 'PIN', version: '4459.2.0', replace: false });
});

test('another number of machines keeps the dialog open, and a second try is the same request', async () => {
  answers = [() => outcome('313 matching machines now, not 312; preview the job again', 'expectedCount')];
  const onstarted = open('HOLD');
  await screen.findByRole('heading', { name: 'Hold 312 machines' });
  await write('maintenance');
  preview = impact({ machines: 313, counted: 313, now: 301 });
  await fireEvent.click(screen.getByRole('button', { name: 'Hold 307 machines' }));
  expect((await screen.findByRole('alert')).textContent).toContain('313 matching machines now');
  await fireEvent.click(await screen.findByRole('button', { name: 'Hold 308 machines' }));
  await waitFor(() => expect(onstarted).toHaveBeenCalled());
  const [first, second] = started().map(({ input }) => input as Record<string, unknown>);
  expect(second).toEqual({ ...first, expectedCount: 313 });
});

test('nothing to do cannot be confirmed', async () => {
  preview = impact({ now: 0, afterUpdate: 0 });
  open('ENROLL');
  const button = await screen.findByRole('button', { name: 'Enroll 0 machines' });
  expect(button).toHaveProperty('disabled', true);
});
