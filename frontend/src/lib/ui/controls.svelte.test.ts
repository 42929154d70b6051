import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { createRawSnippet, flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import Button from './button.svelte';
import ConfirmDialog from './confirm-dialog.svelte';
import { may, setMay } from './may.svelte';
import Select from './select.svelte';
import Switch from './switch.svelte';

afterEach(() => {
  cleanup();
  may.clear();
});

const confirmation = (props: object) => ({
  title: 'Delete Production?',
  confirm: 'Delete',
  reason: 'required' as const,
  onconfirm: vi.fn(() => Promise.resolve<string | null>(null)),
  onclose: vi.fn(),
  ...props,
});

test('a missing required reason keeps the action from running', async () => {
  const props = confirmation({});
  render(ConfirmDialog, props);
  await fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
  expect(props.onconfirm).not.toHaveBeenCalled();
  expect(screen.getByLabelText('Reason (required)').getAttribute('aria-invalid')).toBe('true');

  await fireEvent.input(screen.getByLabelText('Reason (required)'), {
    target: { value: ' machines were sold ' },
  });
  await fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
  await waitFor(() => expect(props.onclose).toHaveBeenCalledOnce());
  expect(props.onconfirm).toHaveBeenCalledWith('machines were sold');
});

test('a rejection is shown and the dialog stays open', async () => {
  const props = confirmation({
    reason: 'none',
    onconfirm: () => Promise.resolve('Another user changed it.'),
  });
  render(ConfirmDialog, props);
  await fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
  expect((await screen.findByRole('alert')).textContent).toContain('Another user changed it.');
  expect(props.onclose).not.toHaveBeenCalled();
});

test('a network error is shown and the dialog stays open', async () => {
  const props = confirmation({
    reason: 'optional',
    onconfirm: () => Promise.reject(new Error('The server cannot be reached.')),
  });
  render(ConfirmDialog, props);
  await fireEvent.click(screen.getByRole('button', { name: 'Delete' }));
  expect((await screen.findByRole('alert')).textContent).toContain('cannot be reached');
  expect(screen.getByRole('button', { name: 'Delete' })).not.toHaveProperty('disabled', true);
});

test('the impact is announced once it is loaded', async () => {
  const { rerender } = render(ConfirmDialog, confirmation({ impact: null }));
  expect(screen.getByText(/Loading the number/).getAttribute('aria-busy')).toBe('true');
  await rerender({ impact: '712 machines become eligible.' });
  expect(screen.getByText('712 machines become eligible.').getAttribute('aria-live')).toBe('polite');
});

test('a select offers its options, including the empty value', async () => {
  const onchange = vi.fn();
  render(Select, {
    label: 'Severity',
    value: 'WARNING',
    options: [
      { value: '', label: 'Any severity' },
      { value: 'WARNING', label: 'Warning' },
    ],
    onchange,
  });
  const box = screen.getByRole('combobox', { name: 'Severity' });
  expect(box.textContent).toContain('Warning');
  await fireEvent.keyDown(box, { key: 'ArrowDown' });
  const options = await screen.findAllByRole('option');
  expect(options.map((option) => option.textContent.trim())).toEqual(['Any severity', 'Warning']);
  await fireEvent.keyDown(box, { key: 'Home' });
  await fireEvent.keyDown(box, { key: 'Enter' });
  expect(onchange).toHaveBeenCalledWith('');
  expect(box.textContent).toContain('Any severity');
});

const needs = { users: 'ADMIN', pauseUpdates: 'OPERATOR', promotePackage: 'PUBLISHER' };

test('a button that the role does not allow is disabled with the reason', () => {
  const children = createRawSnippet(() => ({ render: () => '<span>Pause</span>' }));
  render(Button, { needs: 'pauseUpdates', children });
  const button = () => screen.getByRole<HTMLButtonElement>('button', { name: 'Pause' });
  expect(button().disabled).toBe(false); // the role is not known
  flushSync(() => may.set('VIEWER', ['users'], needs));
  expect(button().disabled).toBe(true);
  expect(button().title).toBe('Needs the role operator; you are viewer.');
  flushSync(() => may.set('OPERATOR', ['pauseUpdates'], needs));
  expect(button().disabled).toBe(false);
});

test('a denial names the place and the role there', () => {
  const group = { name: 'this group', permissions: ['pauseUpdates'] } as const;
  const application = { name: 'this application', permissions: [] } as const;
  may.set('OPERATOR', ['pauseUpdates'], needs);
  expect(may.denial('pauseUpdates', group)).toBeNull();
  expect(may.denial('promotePackage', group)).toBe(
    'Needs the role publisher on this group; you are operator.',
  );
  expect(may.denial('pauseUpdates', application)).toBe(
    'Needs the role operator on this application; you may only read it.',
  );
  may.set('VIEWER', [], needs);
  expect(may.denial('pauseUpdates', application)).toBe(
    'Needs the role operator on this application; you are viewer.',
  );
  expect(may.of('ADMIN')).toEqual(['users', 'pauseUpdates', 'promotePackage']);
  expect(may.of(undefined)).toEqual([]);
});

test('a button follows what the user may do on its place', () => {
  may.set('PUBLISHER', ['pauseUpdates', 'promotePackage'], needs);
  const Placed = (...[anchor, props]: Parameters<typeof Button>) => {
    setMay(() => ({ name: 'this group', permissions: ['pauseUpdates'] }));
    return Button(anchor, props);
  };
  const children = createRawSnippet(() => ({ render: () => '<span>Promote</span>' }));
  render(Placed as typeof Button, { needs: 'promotePackage', children });
  const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Promote' });
  expect(button.disabled).toBe(true);
  expect(button.title).toBe('Needs the role publisher on this group; you are operator.');
});

test('a switch exposes its state and reports changes', async () => {
  const onchange = vi.fn();
  render(Switch, { label: 'Safe mode', checked: false, onchange });
  const control = screen.getByRole('switch', { name: 'Safe mode' });
  expect(control.getAttribute('aria-checked')).toBe('false');
  await fireEvent.click(control);
  expect(control.getAttribute('aria-checked')).toBe('true');
  expect(onchange).toHaveBeenCalledWith(true);
});
