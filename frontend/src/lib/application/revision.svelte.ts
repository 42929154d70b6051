import { graphql } from '$lib/api/graphql';
import { Live } from '$lib/api/live.svelte';
import { session } from '$lib/api/session.svelte';

const document = graphql(`
  subscription ApplicationRevision($applicationId: ID!) {
    applicationChanged(applicationId: $applicationId) {
      application {
        id
        name
        revision
      }
    }
  }
`);

/** Tells when configuration below an application changed, for pages that read
 * one part of it. Null until it is known, and when there is none such. */
export class Revision {
  readonly #live: Live<{ applicationChanged: { application: Named | null } }, { applicationId: string }>;

  constructor(applicationId: () => string) {
    this.#live = new Live(session.connection, document, () => ({ applicationId: applicationId() }));
  }

  get now(): number | null {
    return this.#live.data?.applicationChanged.application?.revision ?? null;
  }
}

interface Named {
  id: string;
  name: string;
  revision: number;
}
