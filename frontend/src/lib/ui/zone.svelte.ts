/** Whose time zone all pages show: the browser's, UTC, or that of the shown group's policy. */
export type ZoneChoice = 'mine' | 'utc' | 'group';

const key = 'coreroller.zone';
const mine = new Intl.DateTimeFormat().resolvedOptions().timeZone;

class Zone {
  #choice = $state<ZoneChoice>(stored());
  #group = $state<string | null>(null);

  get choice(): ZoneChoice {
    return this.#choice;
  }

  set choice(choice: ZoneChoice) {
    this.#choice = choice;
    localStorage.setItem(key, choice);
  }

  /** Zone of the group whose page is shown; null on other pages, and if the browser
   * does not know the zone. */
  get group(): string | null {
    return this.#group;
  }

  set group(name: string | null) {
    this.#group = name !== null && isZone(name) ? name : null;
  }

  /** Name of the zone in use, such as "Europe/Berlin". Without a group, the choice
   * `group` means the browser's zone. */
  get name(): string {
    if (this.#choice === 'utc') return 'UTC';
    return (this.#choice === 'group' && this.#group) || mine;
  }
}

function stored(): ZoneChoice {
  const text = localStorage.getItem(key);
  return text === 'utc' || text === 'group' ? text : 'mine';
}

/** Whether the browser knows the zone. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const zone = new Zone();

/** Offers the zone of a group's policy while the page of that group is shown. Called
 * when a component is created. */
export function offerGroupZone(read: () => string | undefined) {
  const name = $derived(read() ?? null);
  $effect.pre(() => {
    zone.group = name;
    return () => (zone.group = null);
  });
}

/** A function that formats times in a zone, by default the chosen one. The last
 * formatter is kept, because creating one takes longer than using it. */
export function dateFormat(options: Intl.DateTimeFormatOptions): (at: Date, name?: string) => string {
  let made: Intl.DateTimeFormat | undefined;
  let madeFor = '';
  return (at, name = zone.name) => {
    if (!made || name !== madeFor) {
      made = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: name });
      madeFor = name;
    }
    return made.format(at);
  };
}
