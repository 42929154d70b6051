import { graphql, type ResultOf } from '$lib/api/graphql';

const channelFragment = graphql(`
  fragment MirrorChannel on UpstreamChannel {
    id
    track
    mode
    hostFiles
    extraFiles
    upstreamVersion
    withdrawn
    problem
    lastRunAt
    nextRunAt
    failingSince
    failures
    lastError
    channel {
      id
      name
      color
      arch
      promotedAt
      promotedBy
      promotionNeedsApproval
      package {
        id
        version
      }
    }
  }
`);

export const mirrorFragment = graphql(
  `
    fragment Mirror on Upstream {
      id
      name
      kind
      url
      remoteAppId
      interval
      enabled
      urlTemplate
      ca
      application {
        id
        name
        permissions
      }
      channels {
        ...MirrorChannel
      }
    }
  `,
  [channelFragment],
);

export type Mirror = ResultOf<typeof mirrorFragment>;
export type MirrorChannel = ResultOf<typeof channelFragment>;
export type MirrorMode = MirrorChannel['mode'];

/** The application for which the server knows a public upstream. */
export const flatcarId = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';

export const modeLabel: Record<MirrorMode, string> = {
  NOTIFY: 'Notify',
  IMPORT: 'Import',
  PROMOTE: 'Import and promote',
};

export const modeOptions = [
  { value: 'NOTIFY', label: modeLabel.NOTIFY, note: 'A new version adds an entry to the activity.' },
  { value: 'IMPORT', label: modeLabel.IMPORT, note: 'New packages and floors; a person promotes them.' },
  {
    value: 'PROMOTE',
    label: modeLabel.PROMOTE,
    note: 'The channel follows by itself. Where promotions need an approval, it is proposed.',
  },
];

/** "beta, arm64". */
export const channelText = ({ name, arch }: { name: string; arch: string }) => `${name}, ${arch}`;

/** The host of an address, for a heading. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
