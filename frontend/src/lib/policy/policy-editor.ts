import { graphql } from '$lib/api/graphql';
import { policyFormFragment } from './form';
import { policyPreviewFragment } from './PolicyPreview.svelte';

export const policyEditorFragment = graphql(
  `
    fragment PolicyEditor on Group {
      id
      revision
      requireApproval
      policy {
        ...PolicyForm
      }
      rollout {
        projectedEnd
      }
    }
  `,
  [policyFormFragment],
);

export const previewQuery = graphql(
  `
    query PreviewPolicy($input: PolicyPreviewInput!) {
      policyPreview(input: $input) {
        ...PolicyPreview
      }
    }
  `,
  [policyPreviewFragment],
);

export const updateMutation = graphql(`
  mutation UpdatePolicy($input: UpdatePolicyInput!) {
    outcome: updatePolicy(input: $input) {
      userErrors {
        code
        field
        message
      }
    }
  }
`);
