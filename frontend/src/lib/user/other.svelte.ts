import { graphql } from '$lib/api/graphql';
import { Query } from '$lib/api/query.svelte';
import { session } from '$lib/api/session.svelte';

const document = graphql(`
  query OtherUser {
    users {
      id
      username
    }
  }
`);

/** Another user, whose id is in the address of a page; null for oneself. Create it during
 * component initialisation. */
export class OtherUser {
  readonly id: string | null;
  readonly #query: Query<{ users: readonly { id: string; username: string }[] }, Record<string, never>>;

  constructor(id: () => string | null) {
    const other = $derived(id() === session.user?.id ? null : id());
    this.id = $derived(other);
    this.#query = new Query(document, () => (other === null ? null : {}));
  }

  /** Null while it is not known. */
  get name(): string | null {
    return this.#query.data?.users.find((user) => user.id === this.id)?.username ?? null;
  }
}
