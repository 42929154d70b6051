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

/** Starts or stops the simulated fleet; answers how it is then, or what was refused. */
export async function runDemo(running: boolean): Promise<{ demo: Demo } | { refused: string }> {
  try {
    const { outcome } = await session.ask(running ? startMutation : stopMutation, {});
    if (outcome.demo) return { demo: outcome.demo };
    return { refused: outcome.userErrors[0]?.message ?? 'The server refused.' };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { refused: error.message };
  }
}
