import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
import { wayBack } from '$lib/rollback/fixture';
import { failureKey } from './failures';
import HaltCard from './HaltCard.svelte';
import { ServerClock } from './server-clock.svelte';

const share = (value: string, attempts: number) => ({ value, attempts });

const halt = {
  rule: 'FAILURE_SHARE' as 'FAILURE_SHARE' | 'PERSON' | 'CANARY',
  sentence: 'the rollout is halted: canary c failed for good',
  at: '2026-11-23T14:02:05Z',
  by: '',
  reason: '',
  failed: 5,
  finished: 17,
  failureShareLimit: 0.3,
  machineIds: ['machine-one', 'machine-two'],
  cameBack: 0,
};

const rollout = {
  id: 'r',
  version: '2.1.0',
  attempts: { finished: 20, failed: 8 },
  attemptsSinceResume: { finished: 20, failed: 8 },
  failures: [
    { outcome: 'ROLLED_BACK' as const, code: 44, description: 'rolled back', attempts: 6 },
    { outcome: 'FAILED' as const, code: 5, description: 'post-install step failed', attempts: 2 },
  ],
  failuresByOem: [share('vmware', 7), share('ami', 1)],
  failuresByAddressBlock: [share('10.4.18.0/24', 6), share('10.4.3.0/24', 2)],
  newcomers: null,
};

let channel = wayBack();
const failuresByAttribute = {
  attempts: 8,
  slices: [
    { name: 'oem', value: 'vmware', tag: false, attempts: 7, standsOut: true },
    { name: 'canary', value: '', tag: true, attempts: 5, standsOut: true },
  ],
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-23T15:00:00Z') });
  channel = wayBack();
  fakeApi({ WayBack: () => ({ channel }), FailureSlices: () => ({ rollout: { failuresByAttribute } }) });
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function show(
  change: Partial<typeof halt> = {},
  also: Partial<typeof rollout> = {},
  inFlight = 4,
  onVersion = 12,
) {
  const onask = vi.fn();
  render(HaltCard, {
    group: {
      id: 'g',
      arch: 'amd64',
      revision: 3,
      application: { id: 'a' },
      channel: { id: 'c', name: 'stable' },
      numbers: { inFlight, byVersion: [{ version: '2.1.0', active: onVersion }] },
      rollout: { ...rollout, ...also, halt: { ...halt, ...change } },
    },
    server: new ServerClock(),
    searchPath: (text: string) => `/search/${text}`,
    versionPath: (version: string) => `/version/${version}`,
    failurePath: (filter) => `/failures/${failureKey(filter)}`,
    onask,
  });
  return onask;
}

const text = (element: Element) => element.textContent.replace(/\s+/g, ' ').trim();
const card = () => text(screen.getByRole('region'));

test('names what most failed machines have in common', async () => {
  show();
  await screen.findByRole('link', { name: 'tag canary' });
  expect(card()).toContain(
    'Look first: 7 of the 8 are on vmware, 6 of the 8 are in 10.4.18.0/24, 5 of the 8 have tag canary.',
  );
  expect(links()).toContainEqual(['tag canary', '/failures/tag.canary']);
});
const links = () => screen.getAllByRole('link').map((link) => [text(link), link.getAttribute('href')]);

test('it says what halted, how, where to look, what is still true and who is next', async () => {
  show();
  await screen.findByText(/Next at risk/);
  expect(screen.getByRole('heading').textContent).toMatch(
    /2\.1\.0 halted (at|Mon) .*: 8 of 20 finished attempts failed/,
  );
  expect(card()).toContain('6 × rolled back after boot, 2 × post-install step failed (code 5).');
  expect(card()).toContain(
    'At the halt it was 5 of 17. The limit is 30 %. Nothing has been offered since then.',
  );
  expect(card()).toContain('Look first: 7 of the 8 are on vmware, 6 of the 8 are in 10.4.18.0/24.');
  expect(card()).toContain(
    '12 machines still run 2.1.0. They check in, but nothing moves them back until you roll back. 4 machines are under way and cannot be recalled.',
  );
  expect(card()).toContain('Next at risk: branches, 24 machines, rolling out. It follows stable too.');
  expect(links()).toEqual([
    ['6 × rolled back after boot', '/failures/ROLLED_BACK.44'],
    ['2 × post-install step failed (code 5)', '/failures/FAILED.5'],
    ['vmware', '/failures/oem.vmware'],
    ['10.4.18.0/24', '/failures/address.10.4.18.0/24'],
    ['12 machines still run 2.1.0', '/version/2.1.0'],
    ['branches', '/apps/a/groups/h'],
    ['machine-two', '/search/machine-two'],
    ['machine-one', '/search/machine-one'],
  ]);
});

test('rolling back comes first, and each action states its consequence', async () => {
  const onask = show();
  await screen.findByRole('button', { name: 'Roll back to 2.0.0…' });
  expect(screen.getAllByRole('button').map(text)).toEqual([
    'Roll back to 2.0.0…',
    'Resume 2.1.0…',
    'Copy incident link',
  ]);
  expect(card()).toContain(
    'Points stable back to 2.0.0, blacklists 2.1.0, and asks what becomes of the 12 machines on it.',
  );
  expect(card()).toContain(
    'Offers 2.1.0 again, within the caps. The 8 failures so far no longer count towards a halt.',
  );
  for (const name of ['Roll back to 2.0.0…', 'Resume 2.1.0…'])
    await fireEvent.click(screen.getByRole('button', { name }));
  expect(onask.mock.calls).toEqual([['rollBack'], ['resume']]);
});

test('without a lower package there is nothing to roll back to', async () => {
  channel = wayBack({ package: { id: 'p', version: '1.0.0' } });
  show();
  expect(await screen.findByText(/No package to roll back to/)).toBeTruthy();
  expect(screen.getAllByRole('button').map(text)).toEqual(['Resume 2.1.0…', 'Copy incident link']);
});

test('a halt by a user shows user and reason, and no limit', () => {
  const none = { finished: 4, failed: 0 };
  const quiet = { attempts: none, attemptsSinceResume: none, failures: [], failuresByOem: [] };
  show(
    { rule: 'PERSON', by: 'ana', reason: 'boot loops', machineIds: [] },
    { ...quiet, failuresByAddressBlock: [] },
    0,
    0,
  );
  expect(screen.getByRole('heading').textContent).toMatch(/by ana$/);
  expect(card()).toContain(
    '“boot loops” 4 attempts finished, none failed. Nothing has been offered since then.',
  );
  expect(card()).toContain('No machine runs 2.1.0.');
  expect(card()).not.toMatch(/limit|failures|Look first|under way/);
});

test('failures before the last resume are counted apart, and machines that came back are counted', () => {
  show({ rule: 'CANARY', cameBack: 1 }, { attemptsSinceResume: { finished: 5, failed: 3 } });
  expect(card()).toContain('The rollout is halted: canary c failed for good.');
  expect(card()).toContain('Of all 20 finished attempts, 6 × rolled back after boot');
  expect(card()).toContain('1 machine came back since then. The rollout stays halted until you resume it.');
});

test('the incident link names the rollout and the time at which it is copied', async () => {
  const writeText = vi.fn(() => Promise.resolve());
  vi.stubGlobal('navigator', { clipboard: { writeText } });
  show();
  await fireEvent.click(screen.getByRole('button', { name: 'Copy incident link' }));
  expect(writeText).toHaveBeenCalledWith(
    `${window.location.origin}/apps/a/groups/g/incident?rollout=r&at=2026-11-23T15%3A00%3A00.000Z`,
  );
});

test('without a clipboard the incident link is shown and selected', async () => {
  vi.stubGlobal('navigator', {});
  show();
  await fireEvent.click(screen.getByRole('button', { name: 'Copy incident link' }));
  const field = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: /Copy incident link/ });
  expect(field.value.slice(field.selectionStart, field.selectionEnd)).toMatch(/incident\?rollout=r&at=/);
});
