// GraphiQL for the API of this server. The session cookie authenticates; queries use
// HTTP and subscriptions a websocket at the same address.
import 'graphiql/style.css';
import './playground.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { keepAccessible } from './accessibility.ts';
import { examples, welcome } from './examples.ts';

const http = new URL('/graphql', location.href);
const socket = new URL(http);
socket.protocol = http.protocol === 'https:' ? 'wss:' : 'ws:';

const fetcher = createGraphiQLFetcher({
  url: http.href,
  // Lazy: queries open no socket. Close code 4401 (not signed in) is not retried.
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
  keepAccessible(root);
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
  hint.append('The playground uses your session: ', link, ' first.');
  root.append(hint);
}
