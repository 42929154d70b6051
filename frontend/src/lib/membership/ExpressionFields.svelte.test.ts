import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi } from '$lib/api/fake-api';
import ExpressionFields from './ExpressionFields.svelte';

let requests: ReturnType<typeof fakeApi>;
const answer = {
  machines: 400,
  complete: true,
  matches: 320,
  waiting: 2,
  kept: 0,
  sentence: 'moves 312 machines',
  moves: [
    {
      from: { id: 'a', name: 'Everyone' },
      to: { id: 'g', name: 'Azure' },
      machines: 312,
      samples: ['m-1', 'm-2'],
    },
  ],
};

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  requests = fakeApi({ PreviewGroupExpression: () => ({ previewGroupExpression: answer }) });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const none = { expression: undefined, priority: undefined };
const group = { id: 'g', name: 'Azure', expression: "oem == 'azure'", priority: 3 };

async function type(label: string, value: string) {
  await fireEvent.input(screen.getByLabelText(label), { target: { value } });
  await vi.advanceTimersByTimeAsync(400);
}

test('an expression is previewed before it is saved, with the machines that move', async () => {
  render(ExpressionFields, {
    applicationId: 'app',
    arch: 'arm64',
    expression: '',
    priority: '0',
    errors: none,
  });
  await type('Expression (optional)', "oem == 'azure' ");
  await waitFor(() => expect(screen.getByText('When saved: moves 312 machines.')).toBeTruthy());
  expect(screen.getByText(/It is true for 320 machines of 400/)).toBeTruthy();
  expect(screen.getByRole('link', { name: 'm-1' }).getAttribute('href')).toContain('m-1');
  expect(screen.getByText(/2 machines later/)).toBeTruthy();
  const sent = JSON.stringify(requests);
  expect(sent).toContain(`"expression":"oem == 'azure'"`);
  expect(sent).toContain('"arch":"arm64"');
});

test('nothing is asked while nothing is changed, nor for a priority that is no number', async () => {
  render(ExpressionFields, {
    applicationId: 'app',
    group,
    arch: 'amd64',
    expression: group.expression,
    priority: '3',
    errors: none,
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(requests).toHaveLength(0);
  await type('Priority', 'x');
  expect(screen.getByText('A whole number')).toBeTruthy();
  expect(requests).toHaveLength(0);
  await type('Priority', '-4');
  await waitFor(() => expect(JSON.stringify(requests)).toContain('"priority":-4'));
});

test('an expression that is removed is previewed too', async () => {
  render(ExpressionFields, {
    applicationId: 'app',
    group,
    arch: 'amd64',
    expression: group.expression,
    priority: '3',
    errors: none,
  });
  await type('Expression (optional)', '');
  await waitFor(() => expect(JSON.stringify(requests)).toContain('"expression":""'));
});

test('a mistake is shown at the field', async () => {
  const errors = [
    { message: "expression: line 1, column 5: there is no 'x'", extensions: { code: 'INVALID' } },
  ];
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ errors }))));
  render(ExpressionFields, {
    applicationId: 'app',
    arch: 'amd64',
    expression: '',
    priority: '0',
    errors: none,
  });
  await type('Expression (optional)', 'oem x');
  await waitFor(() => expect(screen.getByText(/line 1, column 5/)).toBeTruthy());
  expect(screen.getByLabelText('Expression (optional)').getAttribute('aria-invalid')).toBe('true');
  expect(screen.queryByText(/When saved/)).toBeNull();
});
