import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import {
  butane,
  checkCommand,
  ignition,
  paceSentence,
  updateConf,
  usualClient,
  type Place,
} from './settings';

const place: Place = {
  updateUrl: 'http://updates.example.com/v1/update/',
  applicationId: '01a20831-916d-7000-8885-3e348981b205',
  track: 'production',
  arch: 'amd64',
};

test('the Flatcar settings contain server and track', () => {
  expect(updateConf(place)).toBe('SERVER=http://updates.example.com/v1/update/\nGROUP=production\n');
});

test('Butane and Ignition write the same file', () => {
  const { ignition: header, storage } = JSON.parse(ignition(place)) as {
    ignition: { version: string };
    storage: { files: { path: string; mode: number; overwrite: boolean; contents: { source: string } }[] };
  };
  const [file] = storage.files;
  const text = butane(place);
  const inline = text.split('inline: |\n')[1]?.replaceAll(/^ {10}/gm, '');
  expect(inline).toBe(updateConf(place));
  expect(decodeURIComponent(file?.contents.source.replace('data:,', '') ?? '')).toBe(inline);
  expect(text).toContain(`- path: ${file?.path}\n`);
  expect(text).toContain(`mode: 0${file?.mode.toString(8)}\n`);
  expect(text).toContain(`overwrite: ${file?.overwrite}\n`);
  // Version 1.0.0 of Butane's variant flatcar makes Ignition 3.3.0.
  expect([text.includes('variant: flatcar\nversion: 1.0.0\n'), header.version]).toEqual([true, '3.3.0']);
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

test('the pace of a policy is stated with its consequence', () => {
  expect(paceSentence({ maxUpdatesPerPeriod: 2, periodInterval: 'PT15M' })).toBe(
    'At most 2 updates per 15 min: a thousand machines take at least 5 d 4 h.',
  );
  expect(paceSentence({ maxUpdatesPerPeriod: 1, periodInterval: 'PT1M' })).toBe(
    'At most 1 update per 1 min: a thousand machines take at least 16 h 39 min.',
  );
});
