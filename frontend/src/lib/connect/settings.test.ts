import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { checkCommand, updateConf, usualClient, type Place } from './settings';

const place: Place = {
  updateUrl: 'http://updates.example.com/v1/update/',
  applicationId: '01a20831-916d-7000-8885-3e348981b205',
  track: 'production',
  arch: 'amd64',
};

test('Flatcar is told where to ask and which group it belongs to', () => {
  expect(updateConf(place)).toBe('SERVER=http://updates.example.com/v1/update/\nGROUP=production\n');
});

test('a shell makes well-formed XML of the command, whatever the track is called', () => {
  const track = `a "b" <c> & $(id) \`id\` \\d 'e'`;
  // curl is replaced by one that shows what it would send.
  const script = `curl() { cat; }\n${checkCommand({ ...place, track })}`;
  const xml = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  const sent = new DOMParser().parseFromString(xml, 'text/xml').querySelector('app');
  expect(sent?.getAttribute('track')).toBe(track);
  expect(sent?.getAttribute('appid')).toBe(place.applicationId);
  expect(sent?.getAttribute('machineid')).not.toContain('$');
});

test('only the application that is there from the start is Flatcar', () => {
  expect(usualClient('e96281a6-d1af-4bde-9a0a-97b76e56dc57')).toBe('flatcar');
  expect(usualClient(place.applicationId)).toBe('program');
});
