import { render } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import ForeignText from './foreign-text.svelte';
import { visible, visibleSentence } from './visible';

test.each([
  ['prod\u202eexe', 'prod⟨U+202E⟩exe'],
  ['a\u200bb', 'a⟨U+200B⟩b'],
  ['a\u00a0b', 'a⟨U+00A0⟩b'],
  ['a\nb\u0000', 'a⟨U+000A⟩b⟨U+0000⟩'],
  ['a\u2028b', 'a⟨U+2028⟩b'],
  ['\u{e0041}', '⟨U+E0041⟩'],
  ['\u3164', '⟨U+3164⟩'],
  ['Zürich 東京 1.2', 'Zürich 東京 1.2'],
])('%j is shown as %s', (text, shown) => expect(visible(text)).toBe(shown));

test.each([
  ['held prod\u202eexe', 'held prod⟨U+202E⟩exe'],
  ['a\u200b\u001b', 'a⟨U+200B⟩⟨U+001B⟩'],
  // What people may enter in a reason.
  ['first\nsecond 👩\u200d💻 ❤\ufe0f', 'first\nsecond 👩\u200d💻 ❤\ufe0f'],
])('the sentence %j is shown as %s', (text, shown) => expect(visibleSentence(text)).toBe(shown));

test('the text is isolated and its title has the escape', () => {
  const { container } = render(ForeignText, {
    text: 'oem\u202e<b>',
    short: (all: string) => all.slice(0, 4),
  });
  const bdi = container.querySelector('bdi');
  expect(bdi?.textContent).toBe('oem⟨U+202E⟩');
  expect(bdi?.title).toBe('oem⟨U+202E⟩<b>');
  expect(container.querySelector('b')).toBeNull();
});
