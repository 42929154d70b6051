import { graphql, type ResultOf } from '$lib/api/graphql';
import { ApiError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';

export const demoFragment = graphql(`
  fragment Demo on Demo {
    present
    running
    available
  }
`);

export type Demo = ResultOf<typeof demoFragment>;

const startMutation = graphql(
  `
    mutation StartDemo {
      outcome: startDemo {
        demo {
          ...Demo
        }
        userErrors {
          message
        }
      }
    }
  `,
  [demoFragment],
);

const stopMutation = graphql(
  `
    mutation StopDemo {
      outcome: stopDemo {
        demo {
          ...Demo
        }
        userErrors {
          message
        }
      }
    }
  `,
  [demoFragment],
);

/** Starts or stops the demo fleet. Returns its new state, or the error message. */
export async function runDemo(running: boolean): Promise<{ demo: Demo } | { rejected: string }> {
  try {
    const { outcome } = await session.ask(running ? startMutation : stopMutation, {});
    if (outcome.demo) return { demo: outcome.demo };
    return { rejected: outcome.userErrors[0]?.message ?? 'The server rejected the request.' };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { rejected: error.message };
  }
}
