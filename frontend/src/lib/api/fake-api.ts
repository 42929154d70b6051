import { vi } from 'vitest';

type Variables = Record<string, unknown>;

/** Replaces `fetch` by a GraphQL server that answers operations by name. Returns
 * the requests, newest last. */
export function fakeApi(answers: Record<string, (variables: Variables) => unknown>) {
  const requests: { name: string; variables: Variables }[] = [];
  vi.stubGlobal('fetch', (_url: string, { body }: { body: string }) => {
    const { query, variables } = JSON.parse(body) as { query: string; variables: Variables };
    const name = /(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? '';
    requests.push({ name, variables });
    const answer = answers[name];
    if (!answer) throw new Error(`no answer for ${name}`);
    return Promise.resolve(new Response(JSON.stringify({ data: answer(variables) })));
  });
  return requests;
}

/** The payload of a mutation: accepted, or rejected with a message for a field. */
export const outcome = (message?: string, field: string | null = null) => ({
  outcome: { userErrors: message === undefined ? [] : [{ field, message, code: 'INVALID' }] },
});
