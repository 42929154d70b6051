import { graphql, type ResultOf } from '$lib/api/graphql';

export const refusedFragment = graphql(`
  fragment Refused on RefusedRequest {
    id
    reason
    app
    track
    version
    board
    requests
    firstSeenAt
    lastSeenAt
    address
    arch
    application {
      id
      name
      permissions
    }
    group {
      id
      name
    }
  }
`);

export type Refused = ResultOf<typeof refusedFragment>;

/** The application whose groups could have the track; null if that would not help. */
export const helpedBy = ({ reason, application, group }: Refused): Refused['application'] =>
  reason === 'UNKNOWN_TRACK' && !group ? application : null;
