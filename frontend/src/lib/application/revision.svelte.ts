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

/** The configuration revision of an application, for pages that reload when it
 * changes. */
export class Revision {
  readonly #live: Live<{ applicationChanged: { application: Named | null } }, { applicationId: string }>;

  constructor(applicationId: () => string) {
    this.#live = new Live(session.connection, document, () => ({ applicationId: applicationId() }));
  }

  /** Null before it is loaded and if the application does not exist. */
  get now(): number | null {
    return this.#live.data?.applicationChanged.application?.revision ?? null;
  }
}

interface Named {
  id: string;
  name: string;
  revision: number;
}
