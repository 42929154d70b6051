import { graphql } from '$lib/api/graphql';

export const channelsQuery = graphql(`
  query ChannelChoices($id: ID!) {
    application(id: $id) {
      channels {
        id
        name
        arch
        requireApproval
        package {
          version
        }
      }
    }
  }
`);

export const previewQuery = graphql(`
  query NewPolicy($policy: PolicyInput!) {
    policyPreview(input: { policy: $policy }) {
      sentence
    }
  }
`);

export const createMutation = graphql(`
  mutation CreateGroup($input: CreateGroupInput!) {
    outcome: createGroup(input: $input) {
      group {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const updateMutation = graphql(`
  mutation UpdateGroup($input: UpdateGroupInput!) {
    outcome: updateGroup(input: $input) {
      group {
        id
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`);
