import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeApi, outcome } from '$lib/api/fake-api';
import type { Proposal } from './proposal';
import ProposalHeader from './ProposalHeader.svelte';

let answer = outcome();
let requests: ReturnType<typeof fakeApi>;

beforeEach(() => {
  answer = outcome();
  requests = fakeApi({
    ApproveProposal: () => answer,
    RefuseProposal: () => answer,
    WithdrawProposal: () => answer,
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(change: Partial<Proposal> = {}) {
  const ondecided = vi.fn();
  const proposal: Proposal = {
    id: 'p',
    summary: 'promote 2.1.0 to channel beta',
    verb: 'promotePackage',
    changes: ['package of channel beta, amd64: 2.0.0 → 2.1.0'],
    reason: 'driver fix',
    state: 'OPEN',
    createdBy: 'ann',
    createdAt: '2026-11-22T12:00:00Z',
    expiresAt: '2026-11-23T00:00:00Z',
    decidedBy: '',
    decidedAt: null,
    decision: '',
    current: true,
    undecidable: null,
    own: false,
    application: { id: 'a', name: 'Flatcar Linux' },
    group: null,
    channel: { id: 'c', name: 'beta' },
    impact: null,
    ...change,
  };
  render(ProposalHeader, { proposal, ondecided });
  return ondecided;
}

const button = (name: string) => screen.queryByRole<HTMLButtonElement>('button', { name });
const text = () => document.body.textContent.replace(/\s+/g, ' ');

test('another person approves it, without a reason', async () => {
  const ondecided = show();
  expect(text()).toContain('It needs the approval of another publisher of Flatcar Linux');
  expect(button('Withdraw…')).toBeNull();
  await fireEvent.click(button('Approve…') as HTMLElement);
  await fireEvent.click(button('Approve') as HTMLElement);
  await waitFor(() => expect(ondecided).toHaveBeenCalledOnce());
  expect(requests).toEqual([{ name: 'ApproveProposal', variables: { input: { id: 'p', reason: '' } } }]);
});

test('a refusal needs a reason', async () => {
  const ondecided = show();
  await fireEvent.click(button('Refuse…') as HTMLElement);
  await fireEvent.click(button('Refuse') as HTMLElement);
  expect(screen.getByText(/Enter a reason/)).toBeTruthy();
  expect(requests).toEqual([]);
  await fireEvent.input(screen.getByLabelText('Reason (required)'), { target: { value: 'too early' } });
  await fireEvent.click(button('Refuse') as HTMLElement);
  await waitFor(() => expect(ondecided).toHaveBeenCalledOnce());
  expect(requests).toEqual([
    { name: 'RefuseProposal', variables: { input: { id: 'p', reason: 'too early' } } },
  ]);
});

test('its author can only withdraw it, and reads why', async () => {
  const ondecided = show({ own: true, undecidable: 'you proposed it: another person must decide' });
  for (const name of ['Approve…', 'Refuse…']) {
    expect(button(name)?.disabled).toBe(true);
    expect(button(name)?.title).toBe('You proposed it: another person must decide.');
  }
  expect(text()).toContain('You proposed it: another person must decide.');
  await fireEvent.click(button('Withdraw…') as HTMLElement);
  await fireEvent.click(button('Withdraw') as HTMLElement);
  await waitFor(() => expect(ondecided).toHaveBeenCalledOnce());
  expect(requests[0]?.name).toBe('WithdrawProposal');
});

test('a proposal whose object has changed can only be refused', () => {
  show({ current: false });
  expect(text()).toContain('What it concerns has changed since it was proposed');
  expect(button('Approve…')?.disabled).toBe(true);
  expect(button('Refuse…')?.disabled).toBe(false);
});

test('a decided proposal says who decided, and has no buttons', () => {
  show({
    state: 'REFUSED',
    decidedBy: 'ben',
    decidedAt: '2026-11-22T13:00:00Z',
    undecidable: 'it is not open any more',
  });
  expect(text()).toContain('ben refused it');
  expect(text()).toContain('nothing changed');
  expect(screen.queryAllByRole('button')).toEqual([]);
});

test('an error keeps the dialog open', async () => {
  answer = outcome('the proposal is not open any more', 'id');
  show();
  await fireEvent.click(button('Approve…') as HTMLElement);
  await fireEvent.click(button('Approve') as HTMLElement);
  expect((await screen.findByRole('alert')).textContent).toContain('The proposal is not open any more');
});
