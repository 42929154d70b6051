/** The addresses of the pages: what they show is in the address, so every list
 * and range can be sent to somebody. */

type Query = Record<string, string | null | undefined>;

/** Query parameters of the group page. */
export interface GroupView extends Query {
  /** Which machines the table lists; see machine/filter.ts. */
  show?: string | null;
  reason?: string | null;
  version?: string | null;
  search?: string | null;
  /** Cursor of the page of machines. */
  after?: string | null;
  /** Range of the chart. */
  range?: string | null;
}

export const fleetPath = () => '/';
export const passwordPath = () => '/account/password';
export const groupPath = (application: string, group: string, view: GroupView = {}, fragment = '') =>
  `/apps/${application}/groups/${group}${query(view)}${fragment && `#${fragment}`}`;
export const machinePath = (application: string, instance: string) =>
  `/apps/${application}/machines/${instance}`;
/** Served by the server itself, not by the router: link with target="_self". */
export const playgroundPath = () => '/playground';

function query(view: Query): string {
  const pairs = Object.entries(view).filter((pair): pair is [string, string] => !!pair[1]);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
