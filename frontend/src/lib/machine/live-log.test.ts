import { expect, test } from 'vitest';
import { LiveLog } from './live-log.svelte';

const part = (ids: string, older: string | null) => ({ entries: [...ids].map((id) => ({ id })), older });
const ids = (story: LiveLog<{ id: string }>) => story.entries.map(({ id }) => id).join('');

test('new entries come on top, what was asked for stays below', () => {
  const story = new LiveLog();
  story.tell(part('fed', 'd'));
  story.append(part('cb', 'b'));
  story.tell(part('hgf', 'f'));
  expect(ids(story)).toBe('hgfedcb');
  expect(story.older).toBe('b');
  story.append(part('a', null));
  expect(story.older).toBeNull();
});

test('after a gap the story begins anew instead of missing something', () => {
  const story = new LiveLog();
  story.tell(part('cb', 'b'));
  story.append(part('a', null));
  story.tell(part('zyx', 'x'));
  expect(ids(story)).toBe('zyx');
  expect(story.older).toBe('x');
});
