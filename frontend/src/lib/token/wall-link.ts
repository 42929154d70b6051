/** The address that opens the wall screen of a group. The secret is in the fragment, which
 * browsers send to no server. */
export const wallLink = (origin: string, application: string, group: string, secret: string): string =>
  `${origin}/apps/${application}/groups/${group}?wall=1#${secret}`;

/** The secret of a wall link in the fragment of an address; null for other addresses. */
export const linkSecret = (fragment: string): string | null =>
  /^#(crt_[0-9A-Za-z]+)$/.exec(fragment)?.[1] ?? null;
