import { tick } from 'svelte';

let path = window.location.pathname;

/** Runs after each navigation: scrolls to the element of the fragment, or moves the
 * focus to the start of a new page, as a page load would. */
export async function moveFocus() {
  await tick();
  const { hash, pathname } = window.location;
  const moved = pathname !== path;
  path = pathname;
  const named = hash ? document.getElementById(hash.slice(1)) : null;
  if (named) named.scrollIntoView({ block: 'start' });
  else if (moved) document.getElementById('main')?.focus({ preventScroll: true });
}

/** Leaves clicks with a modifier to the browser, which opens a tab or window. The
 * router ignores modifiers. */
export function leaveToBrowser(event: MouseEvent) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) {
    if (event.target instanceof Element && event.target.closest('a')) event.stopPropagation();
  }
}
