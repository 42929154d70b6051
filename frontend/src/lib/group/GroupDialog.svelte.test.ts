import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import GroupDialog from './GroupDialog.svelte';

const preview = {
  machines: 5000,
  complete: true,
  matches: 400,
  comes: 312,
  leaves: 0,
  waiting: 2,
  kept: 1,
  sentence: 'moves 312 machines',
  moves: [
    {
      from: { id: 'p', name: 'Production' },
      to: null,
      machines: 312,
      samples: ['machine-of-azure'],
      sampleIds: ['i1'],
    },
  ],
};

const group = {
  id: 'g',
  name: 'Azure',
  track: 'azure',
  aliases: [],
  arch: 'amd64',
  description: '',
  revision: 7,
  requireApproval: false,
  expression: "oem == 'azure'",
  priority: 5,
  channel: { id: 'c' },
};

const channel = { id: 'c', name: 'stable', arch: 'arm64', requireApproval: false, package: null };

let requests: ReturnType<typeof fakeApi>;
let saved = outcome();

beforeEach(() => {
  saved = outcome();
  requests = fakeApi({
    ChannelChoices: () => ({ application: { channels: [channel] } }),
    NewPolicy: () => ({ policyPreview: { sentence: 'all at once' } }),
    PreviewExpression: () => ({ previewGroupExpression: preview }),
    CreateGroup: () => saved,
    UpdateGroup: () => saved,
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const enter = (label: string | RegExp, value: string) =>
  fireEvent.input(screen.getByLabelText(label), { target: { value } });
const sent = (name: string) =>
  requests.filter((one) => one.name === name).map((one) => one.variables['input']);

test('a new group is previewed for the architecture of its channel, and the button names the number', async () => {
  render(GroupDialog, { applicationId: 'a', onclose: vi.fn() });
  await screen.findByText('stable · arm64'); // it is preselected
  await enter('Name', 'Azure');
  await enter(/^Expression/, " oem == 'azure' ");
  expect(await screen.findByText('Moves 312 machines.')).toBeTruthy();
  expect(screen.getByText(/True for 400 of 5,000 machines/).textContent).toBe(
    'True for 400 of 5,000 machines · 312 join Azure · 0 leave it · 2 move once their update has ended · 1 stay, because their group is left only with an approval',
  );
  const link = screen.getByRole('link', { name: 'mach…zure' });
  expect(link.getAttribute('href')).toBe('/apps/a/machines/i1');
  expect(sent('PreviewExpression')).toEqual([
    { applicationId: 'a', groupId: null, arch: 'arm64', expression: "oem == 'azure'", priority: 0 },
  ]);
  await fireEvent.click(screen.getByRole('button', { name: 'Create group, move 312 machines' }));
  await waitFor(() => expect(sent('CreateGroup')).toHaveLength(1));
  expect(sent('CreateGroup')[0]).toMatchObject({ arch: '', channelId: 'c', expression: "oem == 'azure'" });
});

test('an expression that is not changed is neither previewed nor sent', async () => {
  render(GroupDialog, { applicationId: 'a', group, onclose: vi.fn() });
  await enter('Name', 'Azure 2');
  await fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(sent('UpdateGroup')).toHaveLength(1));
  expect(sent('UpdateGroup')[0]).not.toHaveProperty('expression');
  expect(sent('UpdateGroup')[0]).not.toHaveProperty('priority');
  expect(sent('PreviewExpression')).toEqual([]);
});

test('an expression that is removed is previewed and sent', async () => {
  render(GroupDialog, { applicationId: 'a', group, onclose: vi.fn() });
  await enter(/^Expression/, '');
  await fireEvent.click(await screen.findByRole('button', { name: 'Save, move 312 machines' }));
  await waitFor(() => expect(sent('UpdateGroup')).toHaveLength(1));
  expect(sent('UpdateGroup')[0]).toMatchObject({ id: 'g', expression: '' });
});

test('a wrong expression shows the error of the server at the field, while it is typed and when it is saved', async () => {
  const message = "line 1, column 4: there is no 'omm': use oem";
  const api = fetch;
  vi.stubGlobal('fetch', (url: string, request: { body: string }) =>
    request.body.includes('query PreviewExpression') && request.body.includes('omm')
      ? Promise.resolve(
          new Response(
            JSON.stringify({
              errors: [{ message: `expression: ${message}`, extensions: { code: 'INVALID' } }],
            }),
          ),
        )
      : api(url, request),
  );
  saved = outcome(message, 'expression');
  render(GroupDialog, { applicationId: 'a', group, onclose: vi.fn() });
  const description = () =>
    document.getElementById(screen.getByLabelText(/^Expression/).getAttribute('aria-describedby') ?? '')
      ?.textContent;
  await enter(/^Expression/, "omm == 'azure'");
  const wanted = "Line 1, column 4: there is no 'omm': use oem";
  await waitFor(() => expect(description()).toBe(wanted));
  expect(screen.getByLabelText(/^Expression/).getAttribute('aria-invalid')).toBe('true');
  expect(screen.queryByRole('region', { name: 'Preview' })).toBeNull();
  await fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(sent('UpdateGroup')).toHaveLength(1));
  await waitFor(() => expect(description()).toBe(wanted));
  await enter(/^Expression/, "oem == 'gce'");
  await waitFor(() => expect(description()).not.toBe(wanted));
});

test('a priority that is no number is not sent', async () => {
  render(GroupDialog, { applicationId: 'a', group, onclose: vi.fn() });
  await enter('Priority', 'first');
  await fireEvent.click(screen.getByRole('button', { name: 'Save' }));
  expect(screen.getByText('Enter a whole number from 0 to 10,000.')).toBeTruthy();
  expect(sent('UpdateGroup')).toEqual([]);
});
