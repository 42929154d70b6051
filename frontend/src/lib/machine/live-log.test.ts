import { expect, test } from 'vitest';
import { LiveLog } from './live-log.svelte';

const part = (ids: string, older: string | null) => ({ entries: [...ids].map((id) => ({ id })), older });
const ids = (log: LiveLog<{ id: string }>) => log.entries.map(({ id }) => id).join('');

test('new entries are added above the loaded pages', () => {
  const log = new LiveLog();
  log.update(part('fed', 'd'));
  log.append(part('cb', 'b'));
  log.update(part('hgf', 'f'));
  expect(ids(log)).toBe('hgfedcb');
  expect(log.older).toBe('b');
  log.append(part('a', null));
  expect(log.older).toBeNull();
});

test('a gap discards the older entries', () => {
  const log = new LiveLog();
  log.update(part('cb', 'b'));
  log.append(part('a', null));
  log.update(part('zyx', 'x'));
  expect(ids(log)).toBe('zyx');
  expect(log.older).toBe('x');
});
