import { graphql } from '$lib/api/graphql';

/** A rule of a channel about a package: machines must not skip it (floor), or it
 * must not be promoted (blacklist). */
export type RuleKind = 'floor' | 'blacklisting';

export const addMutations = {
  floor: graphql(`
    mutation AddFloor($channelId: ID!, $packageId: ID!, $reason: String!) {
      outcome: addFloor(input: { channelId: $channelId, packageId: $packageId, reason: $reason }) {
        userErrors {
          code
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
          code
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

/** Changes what becomes of the machines on a package that is blacklisted already. */
export const downgradeMutation = graphql(`
  mutation DowngradeMachines($channelId: ID!, $packageId: ID!, $downgrade: Downgrade!, $reason: String!) {
    outcome: blacklistPackage(
      input: { channelId: $channelId, packageId: $packageId, downgrade: $downgrade, reason: $reason }
    ) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const downgradeText = {
  order: {
    action: 'Downgrade…',
    title: (version: string) => `Downgrade machines on ${version}?`,
    verb: 'Downgrade machines',
    note: (version: string, target: string) =>
      `Machines that run ${version} are offered ${target}, under the caps, windows, waves and halt rule of their group. No other machine is offered a lower version.`,
  },
  end: {
    action: 'End downgrade…',
    title: (version: string) => `Leave machines on ${version}?`,
    verb: 'End downgrade',
    note: (version: string) =>
      `Machines that still run ${version} stay on it until a higher version comes. Updates under way finish.`,
  },
} as const;

export const ruleText = {
  floor: {
    title: 'Floors',
    none: 'No floors. A floor is a version that machines must not skip, such as one that migrates data.',
    add: 'Add floor',
    addTitle: 'Add a floor?',
    addNote: 'Machines below this version update to it first, as a separate step under the same policy.',
    addVerb: 'Add floor',
    remove: (version: string) => `Let machines skip ${version}?`,
    removeNote: 'Machines below it update to the next floor or to the package of the channel.',
    removeVerb: 'Remove floor',
  },
  blacklisting: {
    title: 'Blacklist',
    none: 'No blacklisted packages. A blacklisted package cannot be promoted to this channel.',
    add: 'Blacklist package',
    addTitle: 'Blacklist a package?',
    addNote: 'It cannot be promoted to this channel until you allow it again.',
    addVerb: 'Blacklist',
    remove: (version: string) => `Allow ${version} again?`,
    removeNote: 'It can then be promoted to this channel.',
    removeVerb: 'Allow again',
  },
} as const;
