import type { Component } from 'svelte';
import PageLost from './PageLost.svelte';

/** Milliseconds within which an address is not reloaded a second time. */
const reloadPause = 60_000;
const reloadKey = 'coreroller-reloaded';

interface Page<Props extends object> {
  default: Component<Props>;
}

/** The component of a page, or a page that waits for the server if it could not be loaded. */
export const page = <Props extends object>(load: () => Promise<Page<Props>>): Promise<Page<Props>> =>
  loadPart(load).catch(() => ({ default: PageLost as Component<object> as Component<Props> }));

/** Loads a part of the dashboard with its style sheets. It can be called again after a failure. */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  const sheets = () => [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')];
  try {
    await Promise.all(sheets().filter(hasFailed).map(replace));
    return await load();
  } catch (error) {
    for (const link of sheets()) if (!link.sheet) link.dataset['failed'] = '';
    throw error;
  }
}

const hasFailed = ({ dataset }: HTMLLinkElement) => 'failed' in dataset;

/** Requests a style sheet again: Vite does that only once, even if it failed. */
function replace(link: HTMLLinkElement): Promise<unknown> {
  const again = link.cloneNode() as HTMLLinkElement;
  delete again.dataset['failed'];
  return new Promise((resolve, reject) => {
    again.onload = resolve;
    again.onerror = reject;
    link.replaceWith(again);
  });
}

/** Reloads the page unless that has just been done at this address. The server no longer has
 * the files of an older build, and some browsers keep the failure of a file. */
export function reloadOnce(): boolean {
  const [address, at] = (sessionStorage.getItem(reloadKey) ?? '').split(' ');
  const { href } = window.location;
  if (address === href && Date.now() - Number(at) < reloadPause) return false;
  sessionStorage.setItem(reloadKey, `${href} ${Date.now()}`);
  window.location.reload();
  return true;
}
