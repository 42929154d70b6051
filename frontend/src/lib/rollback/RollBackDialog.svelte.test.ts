import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import { wayBack } from './fixture';
import RollBackDialog from './RollBackDialog.svelte';

const kind = (kind: string, machines: number, sentence: string) => ({ kind, machines, sentence });

/** As the server computes it. */
const effect = ({ toPackageId, downgrade }: Record<string, unknown>) => {
  const to = { version: toPackageId === 'p20' ? '2.0.0' : '1.9.3' };
  const ordered = downgrade === 'MACHINES_ON_BLACKLISTED';
  return {
    machines: 240,
    moving: ordered ? 25 : 9,
    projectedEnd: null,
    warnings: ['3 machines are silent and out of reach'],
    from: { version: '2.1.0' },
    to,
    kinds: [
      kind(
        'ON_CURRENT',
        12,
        ordered ? `are offered ${to.version}` : 'stay on 2.1.0 until a higher version comes',
      ),
      kind('UNDER_WAY', 4, 'cannot be recalled'),
      kind('SILENT', 3, 'are out of reach until they check in again'),
      kind('BELOW', 9, `are offered ${to.version}`),
      kind('ON_TARGET', 212, 'stay'),
    ],
    others: [
      {
        onCurrent: 2,
        sentence: 'branches also follows the channel: 24 machines, 2 on 2.1.0',
        group: { id: 'h' },
      },
    ],
  };
};

let channel = wayBack();
let answer = outcome();
let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  channel = wayBack();
  answer = outcome();
  requests = fakeApi({
    WayBack: () => ({ channel }),
    RollBackImpact: (variables) => ({ rollBackImpact: effect(variables) }),
    RollBack: () => answer,
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const text = (element: Element) => element.textContent.replace(/\s+/g, ' ').trim();
const confirm = () => screen.getByRole<HTMLButtonElement>('button', { name: /^Roll back/ });
const happens = () => text(screen.getByRole('region', { name: 'What happens' }));
const sent = () =>
  requests.filter(({ name }) => name === 'RollBack').map(({ variables }) => variables['input']);
const reason = (value = 'it does not boot') =>
  fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value } });

async function open(change: { group?: { id: string; name: string }; chosen?: string } = {}) {
  const onclose = vi.fn();
  render(RollBackDialog, {
    channelId: 'c',
    arch: 'amd64',
    group: { id: 'g', name: 'production' },
    cause: '2.1.0 halted at 02:31',
    onclose,
    ...change,
  });
  await screen.findByText(/machines move/);
  return onclose;
}

test('it proposes the package before the present one, with the choices that change the least', async () => {
  const onclose = await open();
  expect(screen.getByRole('heading', { level: 2 }).textContent).toBe('Roll back production to 2.0.0');
  expect(screen.getByText('Harbor OS · channel stable · 2.1.0 halted at 02:31')).toBeTruthy();
  expect(text(screen.getByRole('combobox'))).toBe('2.0.0 on stable 24 Oct–22 Nov');
  expect(screen.getByRole('group', { name: 'The 12 machines on 2.1.0, and 2 of other groups' })).toBeTruthy();
  expect(screen.getByText(/^Based on revision 41 of \d\d:\d\d:\d\d\./)).toBeTruthy();
  await reason();
  await fireEvent.click(confirm());
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  expect(sent()).toEqual([
    {
      groupId: 'g',
      toPackageId: 'p20',
      blacklistCurrent: true,
      downgrade: 'NEVER',
      reason: 'it does not boot',
      expectedRevision: 41,
    },
  ]);
});

test('what happens is computed again for each choice, and is what is sent', async () => {
  const onclose = await open();
  expect(happens()).toContain('9 machines move to 2.0.0');
  expect(happens()).toContain('12 at once and 20 per 15 min at most, by the policy');
  expect(happens()).toContain('branches also follows the channel: 24 machines, 2 on 2.1.0.');
  expect(happens()).toContain('3 machines are silent and out of reach.');
  const rows = within(screen.getByRole('table'))
    .getAllByRole('row')
    .map((row) => [...row.children].map(text).join(' '));
  expect(rows).toEqual([
    'Machines of production now 240 After you confirm',
    'run 2.1.0 12 stay on 2.1.0 until a higher version comes',
    'under way to 2.1.0 4 cannot be recalled',
    'silent 3 are out of reach until they check in again',
    'below 2.0.0 9 are offered 2.0.0',
    'run 2.0.0 212 stay',
  ]);

  await fireEvent.click(screen.getByRole('radio', { name: /Offer them 2\.0\.0/ }));
  await waitFor(() => expect(happens()).toContain('25 machines move to 2.0.0'));
  expect(screen.getByRole('row', { name: /run 2\.1\.0/ }).lastElementChild?.textContent).toBe(
    'are offered 2.0.0',
  );

  await reason();
  await fireEvent.click(confirm());
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  expect(sent()).toMatchObject([{ blacklistCurrent: true, downgrade: 'MACHINES_ON_BLACKLISTED' }]);
});

test('a downgrade needs the blacklist', async () => {
  await open();
  const offer = () => screen.getByRole<HTMLInputElement>('radio', { name: /Offer them/ });
  await fireEvent.click(offer());
  await fireEvent.click(screen.getByRole('checkbox', { name: /Blacklist 2\.1\.0 on stable/ }));
  expect(offer().disabled).toBe(true);
  expect(offer().checked).toBe(false);
  expect(screen.getByText('Only machines on a blacklisted version can be downgraded.')).toBeTruthy();
  await reason();
  await fireEvent.click(confirm());
  await waitFor(() => expect(sent()).toMatchObject([{ blacklistCurrent: false, downgrade: 'NEVER' }]));
});

test('it cannot be confirmed without a reason', async () => {
  await open();
  expect(confirm().disabled).toBe(true);
  await reason('  ');
  expect(confirm().disabled).toBe(true);
  await reason();
  expect(confirm().disabled).toBe(false);
  expect(confirm().textContent).toBe('Roll back to 2.0.0');
});

test('without a group it counts the machines of all groups, and starts with the package asked for', async () => {
  const onclose = vi.fn();
  render(RollBackDialog, { channelId: 'c', arch: 'amd64', chosen: 'p19', onclose });
  expect(await screen.findByText('Machines of stable now')).toBeTruthy();
  expect(screen.getByRole('heading', { level: 2 }).textContent).toBe('Roll back stable to 1.9.3');
  expect(happens()).toContain('2 groups at their own pace each within its caps');
  await reason();
  await fireEvent.click(confirm());
  await waitFor(() => expect(sent()).toMatchObject([{ channelId: 'c', toPackageId: 'p19' }]));
});

test('if another user was faster it stays open, shows what changed, and asks again', async () => {
  const onclose = await open();
  await reason();
  answer = outcome('channel "stable" was changed since: it has revision 42', 'expectedRevision');
  channel = wayBack({
    revision: 42,
    blacklistings: [{ recalled: false, package: { id: 'p19', version: '1.9.3' } }],
  });
  await fireEvent.click(confirm());
  expect(text(await screen.findByRole('alert'))).toBe(
    'stable was changed first; nothing was rolled back. Now 1.9.3 is blacklisted. Look at the choices and confirm again.',
  );
  expect(onclose).not.toHaveBeenCalled();
  expect(screen.getByText(/^Based on revision 42 of/)).toBeTruthy();
  answer = outcome();
  await fireEvent.click(confirm());
  await waitFor(() => expect(onclose).toHaveBeenCalledOnce());
  expect(sent().map((input) => (input as { expectedRevision: number }).expectedRevision)).toEqual([41, 42]);
});

test('if another user has already rolled back, no other package is chosen silently', async () => {
  await open();
  await reason();
  answer = outcome('channel "stable" was changed since: it has revision 42', 'expectedRevision');
  channel = wayBack({ revision: 42, package: { id: 'p20', version: '2.0.0' } });
  await fireEvent.click(confirm());
  expect(text(await screen.findByRole('alert'))).toContain('to 2.0.0, from 2.1.0');
  expect(confirm().disabled).toBe(true);
  expect(text(screen.getByRole('combobox'))).toBe('–');
  expect(happens()).toContain('Choose a package');
});

test('another refusal is shown and keeps the dialog open', async () => {
  const onclose = await open();
  await reason();
  answer = outcome('package 2.0.0 has no hash', 'packageId');
  await fireEvent.click(confirm());
  expect(text(await screen.findByRole('alert'))).toBe('Package 2.0.0 has no hash');
  expect(onclose).not.toHaveBeenCalled();
});
