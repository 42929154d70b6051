import { graphql } from '$lib/api/graphql';

/** Apart from the dialog and its queries, which are loaded when it opens. */
export const groupDialogFragment = graphql(`
  fragment GroupDialog on Group {
    id
    name
    track
    aliases
    arch
    description
    expression
    priority
    revision
    expression
    priority
    requireApproval
    channel {
      id
    }
  }
`);
