import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { createRawSnippet, flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { session } from '$lib/api/session.svelte';
import Lazy from './Lazy.svelte';
import { loadPart, page } from './load';
import PageLost from './PageLost.svelte';

type State = 'live' | 'lost';

let state = $state<State>('live');
let reachable = true;
const reload = vi.fn();

beforeEach(() => {
  state = 'live';
  reachable = true;
  sessionStorage.clear();
  vi.spyOn(session, 'connectionState', 'get').mockImplementation(() => state);
  vi.spyOn(window.location, 'reload').mockImplementation(reload);
  vi.stubGlobal('fetch', () =>
    reachable
      ? Promise.resolve(new Response('{"data":{"__typename":"Query"}}'))
      : Promise.reject(new TypeError()),
  );
});

afterEach(() => {
  cleanup();
  reload.mockReset();
  document.head.innerHTML = '';
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A part that can be loaded while the server is reachable. */
const load = vi.fn(() =>
  reachable ? Promise.resolve({ default: 'the dialog' }) : Promise.reject(new TypeError('Failed to fetch')),
);
const children = createRawSnippet<[string]>((part) => ({ render: () => `<p>${part()}</p>` }));

async function goAway() {
  reachable = false;
  state = 'lost';
  const onclose = vi.fn();
  render(Lazy<string>, { load, onclose, children });
  expect((await screen.findByRole('alert')).textContent).toContain('It opens when the server can be reached');
  expect(reload).not.toHaveBeenCalled();
  return onclose;
}

test('a dialog whose file cannot be loaded says so, and opens when the connection is back', async () => {
  await goAway();
  reachable = true;
  flushSync(() => (state = 'live'));
  expect(await screen.findByText('the dialog')).toBeTruthy();
  expect(screen.queryByRole('alert')).toBeNull();
});

test('it can be tried again and closed', async () => {
  const onclose = await goAway();
  await fireEvent.click(screen.getByRole('button', { name: 'Close' }));
  expect(onclose).toHaveBeenCalledOnce();
  reachable = true;
  await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('the dialog')).toBeTruthy();
});

const missing = () => Promise.reject(new TypeError('404'));

test('a file that the server no longer has reloads the page once', async () => {
  render(Lazy<string>, { load: missing, onclose: vi.fn(), children });
  await waitFor(() => expect(reload).toHaveBeenCalledOnce());
  cleanup();
  render(Lazy<string>, { load: missing, onclose: vi.fn(), children });
  expect(await screen.findByRole('alert')).toBeTruthy();
  expect(reload).toHaveBeenCalledOnce();
});

test('a page of an older build is reloaded once', async () => {
  expect((await page(missing)).default).toBe(PageLost);
  render(PageLost);
  await waitFor(() => expect(reload).toHaveBeenCalledOnce());
  cleanup();
  render(PageLost);
  expect(await screen.findByText(/A file of the dashboard is missing/)).toBeTruthy();
  expect(reload).toHaveBeenCalledOnce();
});

test('a page waits for the server and reloads when it is back', async () => {
  reachable = false;
  state = 'lost';
  render(PageLost);
  expect(await screen.findByText(/opens when the connection is back/)).toBeTruthy();
  await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(reload).not.toHaveBeenCalled();
  reachable = true;
  flushSync(() => (state = 'live'));
  await waitFor(() => expect(reload).toHaveBeenCalledOnce());
});

test('a style sheet that failed is requested again with the part', async () => {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  document.head.append(link);
  vi.spyOn(HTMLLinkElement.prototype, 'sheet', 'get').mockReturnValue(null);
  await expect(loadPart(missing)).rejects.toThrow();
  const second = loadPart(() => Promise.resolve('part'));
  const again = document.head.querySelector('link');
  expect(again).not.toBe(link);
  again?.dispatchEvent(new Event('load'));
  expect(await second).toBe('part');
});
