import { graphql } from '$lib/api/graphql';
import { haltFragment } from './halt';

/** Apart from the card, which is loaded when a rollout is halted. */
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
