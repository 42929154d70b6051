import { tick } from 'svelte';

let path = window.location.pathname;

/** After a navigation: brings what the fragment names into view; on another
 * page moves the focus to its beginning, as a page load would. */
export async function arrived() {
  await tick();
  const { hash, pathname } = window.location;
  const moved = pathname !== path;
  path = pathname;
  const named = hash ? document.getElementById(hash.slice(1)) : null;
  if (named) named.scrollIntoView({ block: 'start' });
  else if (moved) document.getElementById('main')?.focus({ preventScroll: true });
}

/** Leaves clicks with a modifier to the browser, which opens a tab or window:
 * the router does not look at modifiers. */
export function leaveToBrowser(event: MouseEvent) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) {
    if (event.target instanceof Element && event.target.closest('a')) event.stopPropagation();
  }
}
