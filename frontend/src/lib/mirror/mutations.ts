import { graphql } from '$lib/api/graphql';

export const createMutation = graphql(`
  mutation CreateMirror($input: CreateUpstreamInput!) {
    outcome: createUpstream(input: $input) {
      upstream {
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
  mutation UpdateMirror($input: UpdateUpstreamInput!) {
    outcome: updateUpstream(input: $input) {
      upstream {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const followMutation = graphql(`
  mutation FollowFlatcar($input: FollowFlatcarInput!) {
    outcome: followFlatcar(input: $input) {
      upstream {
        id
      }
      userErrors {
        field
        message
      }
    }
  }
`);

export const addChannelMutation = graphql(`
  mutation AddMirrorChannel($input: AddUpstreamChannelInput!) {
    outcome: addUpstreamChannel(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const updateChannelMutation = graphql(`
  mutation UpdateMirrorChannel($input: UpdateUpstreamChannelInput!) {
    outcome: updateUpstreamChannel(input: $input) {
      userErrors {
        field
        message
      }
    }
  }
`);

export const removeMutation = graphql(`
  mutation RemoveMirror($input: DeleteUpstreamInput!) {
    outcome: deleteUpstream(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

export const removeChannelMutation = graphql(`
  mutation RemoveMirrorChannel($input: RemoveUpstreamChannelInput!) {
    outcome: removeUpstreamChannel(input: $input) {
      userErrors {
        message
      }
    }
  }
`);

export const runMutation = graphql(`
  mutation RunMirror($input: RunUpstreamInput!) {
    outcome: runUpstream(input: $input) {
      userErrors {
        message
      }
    }
  }
`);
