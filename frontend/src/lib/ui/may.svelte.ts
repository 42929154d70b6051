/** What the signed-in user may do. Buttons and menu items name the field of the API that
 * they call, and are disabled with the reason if the role does not allow it. The server
 * checks it as well. */
class May {
  #role = $state('');
  /** Null: not known, so nothing is disabled. */
  #fields = $state.raw<ReadonlySet<string> | null>(null);

  /** Sets the role of the user and the fields with `@needs` that it may call. */
  set(role: string, fields: readonly string[]) {
    this.#role = role;
    this.#fields = new Set(fields);
  }

  /** Forgets the user, who signed out. */
  clear() {
    this.#role = '';
    this.#fields = null;
  }

  /** Why the user may not call a field; null if the user may. */
  denial(field: string | undefined): string | null {
    if (!field || !this.#fields || this.#fields.has(field)) return null;
    return `Your role, ${this.#role.toLowerCase()}, does not allow this.`;
  }
}

export const may = new May();
