import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { checkCommand, updateConf, usualClient, type Place } from './settings';

const place: Place = {
  updateUrl: 'http://updates.example.com/v1/update/',
  applicationId: '01a20831-916d-7000-8885-3e348981b205',
  track: 'production',
  arch: 'amd64',
};

test('the Flatcar settings contain server and track', () => {
  expect(updateConf(place)).toBe('SERVER=http://updates.example.com/v1/update/\nGROUP=production\n');
});

test('the shell command produces well-formed XML for any track', () => {
  const track = `a "b" <c> & $(id) \`id\` \\d 'e'`;
  // Replaces curl by a function that prints the request.
  const script = `curl() { cat; }\n${checkCommand({ ...place, track })}`;
  const xml = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  const sent = new DOMParser().parseFromString(xml, 'text/xml').querySelector('app');
  expect(sent?.getAttribute('track')).toBe(track);
  expect(sent?.getAttribute('appid')).toBe(place.applicationId);
  expect(sent?.getAttribute('machineid')).not.toContain('$');
});

test('Flatcar is the default client of the preinstalled application only', () => {
  expect(usualClient('e96281a6-d1af-4bde-9a0a-97b76e56dc57')).toBe('flatcar');
  expect(usualClient(place.applicationId)).toBe('program');
});
