import { createRouter } from 'sv-router';
import { moveFocus } from '$lib/frame/navigation-focus';
import NotFoundPage from './pages/NotFoundPage.svelte';

/** The route of every address in lib/paths.ts. */
export const { route, navigate } = createRouter({
  hooks: { afterLoad: moveFocus },
  '/': () => import('./pages/FleetPage.svelte'),
  '/machines': () => import('./pages/MachinesPage.svelte'),
  '/machines/jobs': () => import('./pages/JobsPage.svelte'),
  '/machines/jobs/:job': () => import('./pages/JobPage.svelte'),
  '/apps/:application': () => import('./pages/ApplicationPage.svelte'),
  '/apps/:application/groups/:group': () => import('./pages/GroupPage.svelte'),
  '/apps/:application/groups/:group/incident': () => import('./pages/IncidentPage.svelte'),
  '/apps/:application/groups/:group/policy': () => import('./pages/PolicyPage.svelte'),
  '/apps/:application/channels/:channel': () => import('./pages/ChannelPage.svelte'),
  '/apps/:application/packages/new': () => import('./pages/NewPackagePage.svelte'),
  '/apps/:application/packages/:package': () => import('./pages/PackagePage.svelte'),
  '/apps/:application/machines': () => import('./pages/MachinesPage.svelte'),
  '/apps/:application/machines/:instance': () => import('./pages/MachinePage.svelte'),
  '/connect': () => import('./pages/ConnectPage.svelte'),
  '/activity': () => import('./pages/ActivityPage.svelte'),
  '/refused': () => import('./pages/RefusedPage.svelte'),
  '/audit': () => import('./pages/AuditPage.svelte'),
  '/settings': () => import('./pages/SettingsPage.svelte'),
  '/account/password': () => import('./pages/PasswordPage.svelte'),
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
