import { expect, test } from 'vitest';
import { problems } from './check-styles.js';

test('tokens, zero, lines of 1 px and percentages are allowed', () =>
  expect(
    problems(`a { padding: 0 var(--space-m); gap: 1px; margin: calc(-1 * var(--space-l)) auto;
      border-radius: 50%; font-size: var(--text-s); width: 120px; }`),
  ).toEqual([]));

test('literal sizes are reported', () =>
  expect(
    problems(
      'a { padding: 0 13px; margin-top: -6px; border-radius: 3px; font-size: 0.7rem; } /* gap: 3px; */',
    ),
  ).toEqual(['padding: 0 13px', 'margin-top: -6px', 'border-radius: 3px', 'font-size: 0.7rem']));
