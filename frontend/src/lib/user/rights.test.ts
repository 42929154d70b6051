import { expect, test } from 'vitest';
import { everyTeam, ownTeam, rightsInput, rightsOf, rightsText, type Grant } from './rights';

const grant = (change: Partial<Grant>): Grant => ({
  role: 'VIEWER',
  teamId: null,
  applicationId: null,
  groupId: null,
  team: null,
  application: null,
  group: null,
  ...change,
});
const team = { teamId: 't', team: { name: 'Retail' } };
const app = { ...team, applicationId: 'a', application: { name: 'agent' } };

const all = [
  grant({ role: 'PUBLISHER', ...app }),
  grant({ role: 'OPERATOR', ...app, groupId: 'g', group: { name: 'stable' } }),
  grant(team),
];

test('rights are a sentence', () => {
  expect(rightsText(all, true)).toBe(
    'Publisher on agent, operator on group stable of agent, viewer of team Retail',
  );
  expect(rightsText([grant({ role: 'ADMIN', ...team })], false)).toBe('Admin');
  expect(rightsText([grant({ role: 'OWNER' })], true)).toBe('Owner');
  expect(rightsText([grant({ applicationId: 'a' })], false)).toBe('Viewer on a deleted application');
  expect(rightsText([grant({ groupId: 'g', applicationId: 'a' })], false)).toBe('Viewer on a deleted group');
});

test('a form sends what it was given', () => {
  expect(rightsOf(all, 't').map(({ place }) => place)).toEqual(['application:a', 'group:g', ownTeam]);
  expect(rightsOf([grant(team), grant({})], 'other').map(({ place }) => place)).toEqual([
    'team:t',
    everyTeam,
  ]);
  expect(rightsInput(rightsOf(all, 't'), 't')).toEqual({
    grants: [
      { role: 'PUBLISHER', applicationId: 'a' },
      { role: 'OPERATOR', groupId: 'g' },
      { role: 'VIEWER', teamId: 't' },
    ],
  });
  expect(rightsInput(rightsOf([grant(team)], 'other'), 'other')).toEqual({
    grants: [{ role: 'VIEWER', teamId: 't' }],
  });
});

test('one role on the own team or of an owner is sent as a role', () => {
  expect(rightsInput([{ role: 'ADMIN', place: ownTeam }], 't')).toEqual({ role: 'ADMIN' });
  expect(rightsInput([{ role: 'OWNER', place: 'application:a' }], 't')).toEqual({ role: 'OWNER' });
  expect(rightsInput([{ role: 'VIEWER', place: everyTeam }], 't')).toEqual({ grants: [{ role: 'VIEWER' }] });
});
