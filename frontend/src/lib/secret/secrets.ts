import { graphql, type ResultOf } from '$lib/api/graphql';

export const secretsQuery = graphql(`
  query MachineSecrets($applicationId: ID!, $groupId: ID!) {
    application(id: $applicationId) {
      requireSecret
      requireCertificate
      secrets {
        id
        name
        purpose
        lastFour
        createdAt
        expiresAt
        revokedAt
        lastUsedAt
      }
    }
    group(id: $groupId) {
      requireSecret
      requireCertificate
      secrets {
        id
        name
        purpose
        lastFour
        createdAt
        expiresAt
        revokedAt
        lastUsedAt
      }
    }
  }
`);

export const createSecret = graphql(`
  mutation CreateMachineSecret($input: CreateMachineSecretInput!) {
    outcome: createMachineSecret(input: $input) {
      created {
        text
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const revokeSecret = graphql(`
  mutation RevokeMachineSecret($id: ID!, $reason: String!) {
    outcome: revokeMachineSecret(input: { id: $id, reason: $reason }) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const requireProof = {
  group: graphql(`
    mutation RequireProof($input: UpdateGroupInput!) {
      outcome: updateGroup(input: $input) {
        userErrors {
          field
          message
        }
      }
    }
  `),
  application: graphql(`
    mutation RequireProofEverywhere($input: UpdateApplicationInput!) {
      outcome: updateApplication(input: $input) {
        userErrors {
          field
          message
        }
      }
    }
  `),
} as const;

export type Proof = 'secret' | 'certificate';

/** What a group, or an application for all its groups, can require of each request. */
export const proofs = {
  secret: {
    a: 'a secret',
    right: 'a right secret',
    field: 'requireSecret',
    before: 'Put it into their update URL first.',
  },
  certificate: {
    a: 'a client certificate',
    right: 'a client certificate that names their machine id',
    field: 'requireCertificate',
    before: 'Give each machine its certificate first.',
  },
} as const;

export type Secret = NonNullable<ResultOf<typeof secretsQuery>['group']>['secrets'][number];

export const purposes: Record<Secret['purpose'], { label: string; note: string }> = {
  IDENTIFY: { label: 'Identifies machines', note: 'they are yours' },
  ENROLL: { label: 'Also enrolls machines', note: 'at their next request' },
};

/** The update URL with a secret at its end. */
export const withSecret = (updateUrl: string, secret: string) => updateUrl.replace(/\/?$/, `/${secret}`);
