// GraphiQL on this server's own API: the session cookie signs in, queries go
// over HTTP and subscriptions over a websocket to the same address.
import 'graphiql/style.css';
import './playground.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { examples, welcome } from './examples.ts';

const http = new URL('/graphql', location.href);
const socket = new URL(http);
socket.protocol = http.protocol === 'https:' ? 'wss:' : 'ws:';

const fetcher = createGraphiQLFetcher({
  url: http.href,
  // Lazy: a page that only reads opens no socket. 4401 ("sign in") is final.
  wsClient: createClient({ url: socket.href, lazy: true }),
});

async function signedIn(): Promise<boolean> {
  const response = await fetch(http, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query: '{ me { id } }' }),
  });
  const answer = (await response.json()) as { data?: { me?: unknown } };
  return Boolean(answer.data?.me);
}

const root = document.getElementById('playground');
if (!root) throw new Error('the page has no #playground');
if (await signedIn()) {
  createRoot(root).render(
    createElement(GraphiQL, {
      fetcher,
      defaultEditorToolsVisibility: 'variables',
      defaultQuery: welcome,
      defaultTabs: examples,
      inputValueDeprecation: true,
      shouldPersistHeaders: false,
    }),
  );
} else {
  const link = document.createElement('a');
  link.href = '/';
  link.textContent = 'sign in to the dashboard';
  const hint = document.createElement('p');
  hint.append('The playground speaks with your session: ', link, ', then come back.');
  root.append(hint);
}
