import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Connection } from '$lib/api/connection.svelte';
import { session } from '$lib/api/session.svelte';
import FetchFile from './FetchFile.svelte';

interface Message {
  received: number;
  total: number | null;
  facts: object | null;
  userErrors: { message: string }[];
}

let fetched: { variables: unknown; ended: boolean; send: (message: Partial<Message>) => Promise<void> }[] =
  [];

beforeEach(() => {
  fetched = [];
  const subscribe = (_document: unknown, variables: unknown, ondata: (data: object) => void) => {
    const one = {
      variables,
      ended: false,
      send: (message: Partial<Message>) => {
        ondata({ payloadInspected: { received: 0, total: null, facts: null, userErrors: [], ...message } });
        return tick();
      },
    };
    fetched.push(one);
    return () => (one.ended = true);
  };
  vi.spyOn(session, 'connection', 'get').mockReturnValue({ subscribe } as unknown as Connection);
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const button = (name: string) => screen.getByRole('button', { name });
const status = () => screen.getByRole('status').textContent;

function show(address: string) {
  const onread = vi.fn();
  render(FetchFile, { address, onread });
  return onread;
}

test('it shows the progress and passes the result on', async () => {
  const onread = show('https://example.com/a.gz');
  await fireEvent.click(button('Fetch and fill in'));
  expect(fetched[0]?.variables).toEqual({ url: 'https://example.com/a.gz' });
  await fetched[0]?.send({ received: 1024, total: 4096 });
  expect(status()).toBe('The server has read 1 KiB of 4 KiB.');
  expect(screen.getByRole('progressbar').getAttribute('value')).toBe('0.25');
  const facts = { size: 4096, sha1: 's', sha256: 't' };
  await fetched[0]?.send({ received: 4096, total: 4096, facts });
  expect(onread).toHaveBeenCalledExactlyOnceWith(facts);
  expect(fetched[0]?.ended).toBe(true);
  expect(status()).toBe('Filled in size and digests (4 KiB).');
});

test('it shows why the server could not read the file', async () => {
  const onread = show('https://example.com/a.gz');
  await fireEvent.click(button('Fetch and fill in'));
  await fetched[0]?.send({ userErrors: [{ message: 'the server of the file answered 404 Not Found' }] });
  expect(status()).toBe('The server of the file answered 404 Not Found');
  expect(onread).not.toHaveBeenCalled();
  expect(button('Fetch and fill in')).toBeTruthy();
});

test('Cancel ends the fetch', async () => {
  show('https://example.com/a.gz');
  await fireEvent.click(button('Fetch and fill in'));
  await fireEvent.click(button('Cancel'));
  expect(fetched[0]?.ended).toBe(true);
  expect(status()).toBe('Cancelled.');
});

test('leaving the form ends the fetch', async () => {
  show('https://example.com/a.gz');
  await fireEvent.click(button('Fetch and fill in'));
  cleanup();
  expect(fetched[0]?.ended).toBe(true);
});

test('without an address it asks for one', async () => {
  show('');
  await fireEvent.click(button('Fetch and fill in'));
  expect(fetched).toEqual([]);
  expect(status()).toBe('Enter the folder URL and the file name first.');
});
