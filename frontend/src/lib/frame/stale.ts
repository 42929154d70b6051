import type { ConnectionState } from '$lib/api/connection.svelte';

/** The state of the connection as shown: `silent` is live, but sends nothing. */
export type ShownState = ConnectionState | 'silent';

/** Milliseconds without a message after which the connection no longer shows as live. The
 * server answers a ping every 10 s; a computer that wakes up exceeds this. */
const staleAfter = 17_000;

export const shownState = (state: ConnectionState, asOf: number | null, now: Date): ShownState =>
  state === 'live' && asOf !== null && now.getTime() - asOf > staleAfter ? 'silent' : state;
