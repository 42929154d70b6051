import { flushSync } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeApi } from './fake-api';
import { graphql } from './graphql';
import { Query } from './query.svelte';

const document = graphql(`
  query Names($id: ID!) {
    application(id: $id) {
      name
    }
  }
`);

let end: () => void = () => undefined;
let query: Query<{ application: { name: string } | null }, { id: string }>;

function start(variables: () => { id: string } | null, options = {}) {
  const requests = fakeApi({ Names: ({ id }) => ({ application: { name: `name of ${String(id)}` } }) });
  end = $effect.root(() => {
    query = new Query(document, variables, options);
  });
  flushSync();
  return requests;
}

afterEach(() => {
  end();
  vi.unstubAllGlobals();
});

test('it loads at once, again on refetch, and when its variables change', async () => {
  let id = $state('a');
  const requests = start(() => ({ id }));
  await vi.waitFor(() => expect(query.data?.application?.name).toBe('name of a'));
  query.refetch();
  flushSync();
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  id = 'b';
  flushSync();
  expect(query.current).toBe(false);
  expect(query.data?.application?.name).toBe('name of a');
  await vi.waitFor(() => expect(query.data?.application?.name).toBe('name of b'));
  expect(query.current).toBe(true);
});

test('it sends nothing without variables', async () => {
  const requests = start(() => null);
  await new Promise((done) => setTimeout(done, 20));
  expect(requests).toEqual([]);
});

test('it repeats the request', async () => {
  const requests = start(() => ({ id: 'a' }), { every: 5 });
  await vi.waitFor(() => expect(requests.length).toBeGreaterThan(2));
});
