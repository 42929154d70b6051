import { graphql, type VariablesOf } from '$lib/api/graphql';
import type { UserError } from '$lib/api/request';
import { session } from '$lib/api/session.svelte';
import { openProposals } from './open.svelte';

const proposeMutation = graphql(`
  mutation Propose($input: ProposeInput!) {
    outcome: propose(input: $input) {
      proposal {
        id
        summary
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`);

/** One change, with the input of its mutation. */
type Change = VariablesOf<typeof proposeMutation>['input'];

interface Outcome {
  userErrors: readonly UserError[];
}

/** Whether the change of a dialog needs the approval of another person; the dialog then
 * proposes it instead of making it. Either the page knows that beforehand, or the server
 * refuses the change, and the user can propose it with the same input. */
export class Approval {
  #required = $state(false);
  readonly #known: () => boolean;

  constructor(known: () => boolean = () => false) {
    this.#known = known;
  }

  get needed(): boolean {
    return this.#required || this.#known();
  }

  /** The label of the button that confirms the change. */
  verb(make: string): string {
    return this.needed ? 'Propose' : make;
  }

  /** Makes the change, or proposes it if it needs an approval. */
  async send<T extends Outcome>(
    make: () => Promise<{ outcome: T }>,
    change: Change,
  ): Promise<{ outcome: T | Outcome }> {
    const proposed = this.needed;
    const answer = proposed ? await propose(change) : await make();
    // A refused proposal may be of a change that needs no approval after an edit: the next
    // attempt makes it, unless the server refuses that again.
    this.#required = answer.outcome.userErrors.some(({ code }) => code === 'APPROVAL_REQUIRED');
    return answer;
  }
}

async function propose(input: Change): Promise<{ outcome: Outcome }> {
  const { outcome } = await session.ask(proposeMutation, { input });
  if (outcome.proposal) openProposals.made = outcome.proposal;
  return { outcome };
}
