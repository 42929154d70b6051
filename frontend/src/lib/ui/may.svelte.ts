import { getContext, setContext } from 'svelte';

/** A part of the installation and what the user may call for all of it. */
export interface Place {
  /** As in "Needs the role admin on this group". */
  name:
    | 'this application'
    | 'this group'
    | 'the machines of this job'
    | 'the whole team'
    | 'the whole installation';
  permissions: readonly string[];
}

/** The roles, those that may do least first. */
const roles = ['VIEWER', 'OPERATOR', 'PUBLISHER', 'ADMIN', 'OWNER'];
const rank = (role: string | undefined) => roles.indexOf(role ?? '');

/** What the signed-in user may do. Buttons and menu items name the field of the API that
 * they call, and are disabled with the reason if the role does not allow it. The server
 * checks it as well. */
class May {
  #role = $state('');
  /** Null: not known, so nothing is disabled. */
  #fields = $state.raw<readonly string[] | null>(null);
  /** The least role of the fields that need one. */
  #needs = $state.raw<Readonly<Record<string, string>>>({});

  /** Sets the highest role of the user, the fields with `@needs` that it may call
   * somewhere, and the least role of all of them. */
  set(role: string, fields: readonly string[], needs: Readonly<Record<string, string>>) {
    this.#role = role;
    this.#fields = fields;
    this.#needs = needs;
  }

  /** Forgets the user, who signed out. */
  clear() {
    this.#role = '';
    this.#fields = null;
  }

  /** The fields with `@needs` that a role may call. */
  of(role: string | undefined): string[] {
    return Object.keys(this.#needs).filter((field) => rank(this.#needs[field]) <= rank(role));
  }

  /** Why the user may not call a field, on a place or anywhere; null if the user may. */
  denial(field: string | undefined, place?: Place | null): string | null {
    const allowed = this.#fields && (place?.permissions ?? this.#fields);
    if (!field || !allowed || allowed.includes(field)) return null;
    const least = this.#needs[field];
    const where = place ? ` on ${place.name}` : '';
    const needed = least
      ? `Needs the role ${least.toLowerCase()}${where}`
      : `Your role does not allow this${where}`;
    return `${needed}; ${this.#has(place)}.`;
  }

  #has(place: Place | null | undefined): string {
    if (!place || this.#role === 'VIEWER') return `you are ${this.#role.toLowerCase()}`;
    const highest = Math.max(-1, ...place.permissions.map((field) => rank(this.#needs[field])));
    return highest < 0 ? 'you may only read it' : `you are ${roles[highest]?.toLowerCase()}`;
  }
}

export const may = new May();

type Denial = (field: string | undefined) => string | null;

const key = Symbol('may');

/** Lets the buttons and menus of a component and those below it follow what the user may
 * do on a place; while there is none, what the user may do anywhere. */
export function setMay(place: () => Place | null | undefined): Denial {
  return setContext<Denial>(key, (field) => may.denial(field, place()));
}

/** Why the user may not call a field where the component is. */
export function getMay(): Denial {
  return getContext<Denial | undefined>(key) ?? ((field) => may.denial(field));
}
