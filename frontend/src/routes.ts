import { createRouter } from 'sv-router';
import { arrived } from '$lib/frame/arrival';
import NotFoundPage from './pages/NotFoundPage.svelte';

/** Every address of the dashboard, as written by lib/paths.ts. */
export const { route, navigate } = createRouter({
  hooks: { afterLoad: arrived },
  '/': () => import('./pages/FleetPage.svelte'),
  '/apps/:application/groups/:group': () => import('./pages/GroupPage.svelte'),
  '/apps/:application/machines/:instance': () => import('./pages/MachinePage.svelte'),
  '/account/password': () => import('./pages/PasswordPage.svelte'),
  '*': NotFoundPage,
});

/** Goes to an address of lib/paths.ts without a link, staying where the page is
 * scrolled to. */
export function go(address: string) {
  const { pathname, search, hash } = new URL(address, window.location.origin);
  void navigate(pathname as '/', { search, hash, scrollToTop: false });
}
