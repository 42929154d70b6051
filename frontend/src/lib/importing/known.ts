import { graphql } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';
import { may } from '$lib/ui/may.svelte';

/** Asks whether there is an import. */
export const knownDocument = graphql(`
  query KnownImports {
    imports(first: 1) {
      id
    }
  }
`);

/** Why the user may not see imports; null if the user may. */
export const importsDenial = (): string | null => may.denial('imports', session.everywhere);
