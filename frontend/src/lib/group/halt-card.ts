import { graphql } from '$lib/api/graphql';
import { haltFragment } from './halt';

/** The fields that HaltCard shows, apart from it because it is loaded only for a halted group. */
export const haltCardFragment = graphql(
  `
    fragment HaltCard on Group {
      id
      arch
      revision
      application {
        id
      }
      channel {
        id
        name
      }
      numbers {
        inFlight
        byVersion {
          version
          active
        }
      }
      rollout {
        id
        ...HaltHeadline
        attempts {
          finished
          failed
        }
        failures {
          outcome
          code
          description
          attempts
        }
        failuresByOem {
          value
          attempts
        }
        failuresByAddressBlock {
          value
          attempts
        }
        newcomers {
          attempts {
            failed
          }
        }
        halt {
          rule
          sentence
          failed
          finished
          failureShareLimit
          reason
          machineIds
          cameBack
        }
      }
    }
  `,
  [haltFragment],
);
