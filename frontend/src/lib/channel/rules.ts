import { graphql } from '$lib/api/graphql';

/** What is said of packages for one channel: that no machine may skip them, or
 * that they are kept away. */
export type RuleKind = 'floor' | 'blacklisting';

export const addMutations = {
  floor: graphql(`
    mutation AddFloor($channelId: ID!, $packageId: ID!, $reason: String!) {
      outcome: addFloor(input: { channelId: $channelId, packageId: $packageId, reason: $reason }) {
        userErrors {
          field
          message
        }
      }
    }
  `),
  blacklisting: graphql(`
    mutation BlacklistPackage($channelId: ID!, $packageId: ID!, $reason: String!) {
      outcome: blacklistPackage(input: { channelId: $channelId, packageId: $packageId, reason: $reason }) {
        userErrors {
          field
          message
        }
      }
    }
  `),
} as const;

export const removeMutations = {
  floor: graphql(`
    mutation RemoveFloor($channelId: ID!, $packageId: ID!, $reason: String!) {
      outcome: removeFloor(input: { channelId: $channelId, packageId: $packageId, reason: $reason }) {
        userErrors {
          field
          message
        }
      }
    }
  `),
  blacklisting: graphql(`
    mutation UnblacklistPackage($channelId: ID!, $packageId: ID!, $reason: String!) {
      outcome: unblacklistPackage(input: { channelId: $channelId, packageId: $packageId, reason: $reason }) {
        userErrors {
          field
          message
        }
      }
    }
  `),
} as const;

export const ruleWords = {
  floor: {
    title: 'Floors',
    none: 'None: machines go straight to the package of the channel. A floor is a version no machine may skip, such as one that migrates data.',
    add: 'Add a floor',
    addTitle: 'No machine may skip a version',
    addNote: 'Machines below it are offered it first, as a step of its own under the same policy.',
    addVerb: 'Add floor',
    remove: (version: string) => `Let machines skip ${version}?`,
    removeNote: 'Machines below it are offered the next floor or the package of the channel.',
    removeVerb: 'Remove floor',
  },
  blacklisting: {
    title: 'Blacklist',
    none: 'Empty: every package of the architecture may be promoted. A blacklisted package is refused.',
    add: 'Blacklist a package',
    addTitle: 'Keep a package away from the channel',
    addNote: 'It cannot be promoted to the channel until it is allowed again.',
    addVerb: 'Blacklist',
    remove: (version: string) => `Allow ${version} again?`,
    removeNote: 'It can be promoted to the channel afterwards.',
    removeVerb: 'Allow again',
  },
} as const;
