import { expect, test } from 'vitest';
import { createInput, digestOptions, formOf, missing, newForm, placeOptions, updateInput } from './form';
import type { Notifier } from './notifier';

const form = (change: Partial<ReturnType<typeof newForm>>) => ({
  ...newForm('t', 'Europe/Lisbon'),
  name: 'Ops',
  ...change,
});

test('a new notifier has only what its format can have', () => {
  const rest = { url: ' https://example.com/in ', authorization: 'Bearer x', addresses: 'a@b.c' };
  expect(createInput(form(rest))).toMatchObject({
    teamId: 't',
    kind: 'WEBHOOK',
    url: 'https://example.com/in',
    authorization: 'Bearer x',
    quietFrom: '',
  });
  const slack = createInput(form({ ...rest, kind: 'SLACK', quiet: true }));
  expect(slack).not.toHaveProperty('authorization');
  expect(slack).toMatchObject({ quietFrom: '22:00', quietUntil: '06:00', timezone: 'Europe/Lisbon' });
  const mail = createInput(form({ ...rest, kind: 'MAIL', addresses: 'a@b.c, d@e.f\ng@h.i;' }));
  expect(mail.addresses).toEqual(['a@b.c', 'd@e.f', 'g@h.i']);
  expect(mail).not.toHaveProperty('url');
  expect(
    createInput(
      form({
        ...rest,
        kind: 'ALERTMANAGER',
        quiet: true,
        digest: 'PT1H',
        events: 'chosen',
        kinds: ['PAUSED'],
      }),
    ),
  ).toMatchObject({ kinds: [], digest: 'PT0S', quietFrom: '' });
});

const webhook: Notifier = {
  id: 'n',
  teamId: 't',
  name: 'Ops',
  kind: 'WEBHOOK',
  url: 'https://example.com/in?…',
  addresses: [],
  authorization: true,
  previousSecretUntil: null,
  kinds: ['PAUSED'],
  minSeverity: 'INFO',
  applicationIds: ['a'],
  groupIds: ['g'],
  digest: 'PT45M',
  quietFrom: '',
  quietUntil: '',
  timezone: 'UTC',
  enabled: true,
  disabledBecause: '',
  sentAt: null,
  failingSince: null,
  lastError: '',
  lastDay: { total: 0, delivered: 0, waiting: 0, failed: 0 },
  firing: 0,
  createdBy: 'admin',
  createdAt: '2026-11-27T03:00:00Z',
};

test('editing keeps what the server does not show and what the form cannot show', () => {
  const same = updateInput('n', formOf(webhook));
  expect(same).toEqual({
    id: 'n',
    name: 'Ops',
    kinds: ['PAUSED'],
    minSeverity: 'INFO',
    applicationIds: ['a'],
    groupIds: ['g'],
    digest: 'PT45M',
    quietFrom: '',
    quietUntil: '',
    timezone: 'UTC',
  });
  expect(digestOptions('PT45M').at(-1)).toEqual({ value: 'PT45M', label: 'Every 45 minutes' });
  expect(digestOptions('PT24H').find(({ value }) => value === 'PT24H')?.label).toBe('Once a day');
});

test('editing replaces the URL, and replaces or removes the header', () => {
  const edited = { ...formOf(webhook), url: 'https://example.com/new', authorization: 'Bearer y' };
  expect(updateInput('n', edited)).toMatchObject({ url: edited.url, authorization: 'Bearer y' });
  expect(updateInput('n', { ...edited, withoutAuthorization: true }).authorization).toBe('');
});

test('a choice that is empty is rejected, because the server would take it for all', () => {
  expect(missing(form({}))).toBeNull();
  expect(missing(form({ events: 'chosen' }))?.[0]).toBe('kinds');
  expect(missing(form({ events: 'chosen', kind: 'ALERTMANAGER' }))).toBeNull();
  expect(missing(form({ scope: 'applications' }))?.[0]).toBe('applicationIds');
  expect(missing(form({ scope: 'groups', applicationIds: ['a'] }))?.[0]).toBe('groupIds');
});

test('only places of the team are offered', () => {
  const places = {
    teams: [],
    applications: [
      { id: 'a', name: 'Agent', team: { id: 't' }, groups: [{ id: 'g', name: 'stable' }] },
      { id: 'b', name: 'Other', team: { id: 'u' }, groups: [{ id: 'h', name: 'beta' }] },
    ],
  };
  expect(placeOptions(places, 't', 'applications')).toEqual([{ id: 'a', label: 'Agent' }]);
  expect(placeOptions(places, 't', 'groups')).toEqual([{ id: 'g', label: 'Agent / stable' }]);
});
