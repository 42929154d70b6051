import { createRouter } from 'sv-router';
import { moveFocus } from '$lib/frame/navigation-focus';
import { page } from '$lib/lazy/load';
import NotFoundPage from './pages/NotFoundPage.svelte';

/** The route of every address in lib/paths.ts. The router recognises `() => import` in a function
 * and calls it, when the page opens or the pointer is over a link to it. */
export const { route, navigate } = createRouter({
  hooks: { afterLoad: moveFocus },
  '/': () => page(() => import('./pages/FleetPage.svelte')),
  '/machines': () => page(() => import('./pages/MachinesPage.svelte')),
  '/machines/jobs': () => page(() => import('./pages/JobsPage.svelte')),
  '/machines/jobs/:job': () => page(() => import('./pages/JobPage.svelte')),
  '/apps/:application': () => page(() => import('./pages/ApplicationPage.svelte')),
  '/apps/:application/groups/:group': () => page(() => import('./pages/GroupPage.svelte')),
  '/apps/:application/groups/:group/incident': () => page(() => import('./pages/IncidentPage.svelte')),
  '/apps/:application/groups/:group/policy': () => page(() => import('./pages/PolicyPage.svelte')),
  '/apps/:application/channels/:channel': () => page(() => import('./pages/ChannelPage.svelte')),
  '/apps/:application/packages/new': () => page(() => import('./pages/NewPackagePage.svelte')),
  '/apps/:application/packages/:package': () => page(() => import('./pages/PackagePage.svelte')),
  '/apps/:application/machines': () => page(() => import('./pages/MachinesPage.svelte')),
  '/apps/:application/machines/:instance': () => page(() => import('./pages/MachinePage.svelte')),
  '/connect': () => page(() => import('./pages/ConnectPage.svelte')),
  '/activity': () => page(() => import('./pages/ActivityPage.svelte')),
  '/refused': () => page(() => import('./pages/RefusedPage.svelte')),
  '/approvals': () => page(() => import('./pages/ApprovalsPage.svelte')),
  '/approvals/:proposal': () => page(() => import('./pages/ApprovalPage.svelte')),
  '/mirrors': () => page(() => import('./pages/MirrorsPage.svelte')),
  '/audit': () => page(() => import('./pages/AuditPage.svelte')),
  '/storage': () => page(() => import('./pages/StoragePage.svelte')),
  '/imports': () => page(() => import('./pages/ImportsPage.svelte')),
  '/settings': () => page(() => import('./pages/SettingsPage.svelte')),
  '/notifications': () => page(() => import('./pages/NotificationsPage.svelte')),
  '/notifications/:notifier': () => page(() => import('./pages/NotifierPage.svelte')),
  '/account/tokens': () => page(() => import('./pages/TokensPage.svelte')),
  '/account/sessions': () => page(() => import('./pages/SessionsPage.svelte')),
  '/account/password': () => page(() => import('./pages/PasswordPage.svelte')),
  '*': NotFoundPage,
});

/** Navigates to an address of lib/paths.ts and keeps the scroll position. A search text
 * replaces another one in the address, because it changes with every letter. */
export function go(address: string) {
  const to = new URL(address, window.location.origin);
  const { pathname, search, hash } = to;
  const here = new URL(window.location.href);
  const typing = here.searchParams.has('search') && to.searchParams.has('search');
  const replace = typing && withoutSearch(to) === withoutSearch(here);
  void navigate(pathname as '/', { search, hash, scrollToTop: false, replace });
}

function withoutSearch({ pathname, searchParams }: URL): string {
  const rest = new URLSearchParams(searchParams);
  rest.delete('search');
  return `${pathname}?${rest}`;
}

/** Navigates as a link does: a new page starts at its top. */
export function visit(address: string) {
  const { pathname, search, hash } = new URL(address, window.location.origin);
  if (pathname === window.location.pathname) go(address);
  else void navigate(pathname as '/', { search, hash });
}
