import { graphql } from '$lib/api/graphql';

/** Apart from the dialog, which is loaded when it opens. */
export const controlDialogFragment = graphql(`
  fragment ControlDialog on Group {
    id
    name
    revision
    requireApproval
    state
    rollout {
      currentWave
      attemptsSinceResume {
        failed
      }
      newcomers {
        failing
        attempts {
          failed
        }
      }
    }
  }
`);
