import { afterEach, expect, test, vi } from 'vitest';
import { graphql } from './graphql';
import { session } from './session.svelte';

const pause = graphql(`
  mutation PauseNow($groupId: ID!) {
    pauseUpdates(input: { groupId: $groupId, reason: "" }) {
      userErrors {
        message
      }
    }
  }
`);
const name = graphql(`
  query NameNow($id: ID!) {
    group(id: $id) {
      name
    }
  }
`);

/** Replaces `fetch`. Returns the names of the operations that it was asked to send. */
function fakeServer(answer: (name: string) => Promise<Response>) {
  const sent: string[] = [];
  vi.stubGlobal('fetch', (_url: string, { body }: { body: string }) => {
    const operation = /(?:query|mutation) (\w+)/.exec(body)?.[1] ?? '';
    sent.push(operation);
    return answer(operation);
  });
  return sent;
}

const away = () => Promise.reject(new TypeError('Failed to fetch'));
const answered = (data: unknown) => Promise.resolve(new Response(JSON.stringify({ data })));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

test('on a lost connection nothing is sent before the server answers, so nothing was changed', async () => {
  vi.spyOn(session, 'connectionState', 'get').mockReturnValue('lost');
  const sent = fakeServer(away);
  await expect(session.ask(pause, { groupId: 'g' })).rejects.toMatchObject({
    code: 'OFFLINE',
    message: expect.stringContaining('cannot be reached; nothing was changed') as string,
  });
  expect(sent).toEqual(['Reach']);
});

test('a server that is back before the websocket gets the mutation', async () => {
  vi.spyOn(session, 'connectionState', 'get').mockReturnValue('lost');
  const sent = fakeServer((operation) =>
    answered(operation === 'Reach' ? { __typename: 'Query' } : { pauseUpdates: { userErrors: [] } }),
  );
  await session.ask(pause, { groupId: 'g' });
  expect(sent).toEqual(['Reach', 'PauseNow']);
});

test.each([
  ['without an answer', away],
  ['with a cut answer', () => Promise.resolve(new Response('{"data":{"pause'))],
  ['from a proxy', () => Promise.resolve(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }))],
])('a mutation that was sent and ended %s leaves open whether it was done', async (_how, answer) => {
  vi.spyOn(session, 'connectionState', 'get').mockReturnValue('live');
  fakeServer(answer);
  await expect(session.ask(pause, { groupId: 'g' })).rejects.toMatchObject({
    code: 'UNKNOWN',
    message: expect.stringContaining('not known whether the change was made') as string,
  });
});

test('a query only says that the server could not be reached', async () => {
  vi.spyOn(session, 'connectionState', 'get').mockReturnValue('lost');
  const sent = fakeServer(away);
  await expect(session.ask(name, { id: 'g' })).rejects.toMatchObject({ code: 'OFFLINE' });
  expect(sent).toEqual(['NameNow']);
});

test('what the server rejects is passed on as it is', async () => {
  fakeServer(() =>
    Promise.resolve(
      new Response(JSON.stringify({ errors: [{ message: 'busy', extensions: { code: 'UNAVAILABLE' } }] })),
    ),
  );
  await expect(session.ask(pause, { groupId: 'g' })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'busy',
  });
});
