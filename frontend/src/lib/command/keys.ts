import {
  activityPath,
  applicationPath,
  auditPath,
  fleetPath,
  machinesPath,
  playgroundPath,
  refusedPath,
  settingsPath,
} from '$lib/paths';

/** Every keyboard shortcut of the dashboard. The help is generated from this list. */

export type Command =
  | { act: 'search' | 'palette' | 'help' | 'next' | 'previous' | 'freeze' }
  /** A page of the dashboard. */
  | { act: 'go'; to: string }
  /** The n-th application, by name. */
  | { act: 'application'; nth: number };

interface Key {
  /** Pressed in sequence; `Mod` is Ctrl, or Cmd on a Mac. */
  keys: readonly string[];
  does: string;
  /** Null if the focused element handles the key; listed for the help only. */
  command: Command | null;
  /** Left out of the help. */
  hidden?: boolean;
}

interface Section {
  title: string;
  keys: readonly Key[];
}

const page = (key: string, name: string, to: string): Key => ({
  keys: ['g', key],
  does: name,
  command: { act: 'go', to },
});

const applications = Array.from({ length: 9 }, (_, i): Key => ({
  keys: ['g', String(i + 1)],
  does: 'Application 1 to 9',
  command: { act: 'application', nth: i },
  hidden: i > 0,
}));

export const sections: readonly Section[] = [
  {
    title: 'Find',
    keys: [
      { keys: ['/'], does: 'Search this page or everything', command: { act: 'search' } },
      { keys: ['Mod+k'], does: 'Open the command palette', command: { act: 'palette' } },
      { keys: ['?'], does: 'Show keyboard shortcuts', command: { act: 'help' } },
    ],
  },
  {
    title: 'Go to',
    keys: [
      page('f', 'Fleet', fleetPath()),
      page('m', 'Machines', machinesPath(null)),
      page('a', 'Activity', activityPath()),
      page('r', 'Refused requests', refusedPath()),
      page('u', 'Audit', auditPath()),
      page('s', 'Settings', settingsPath()),
      page('p', 'API playground', playgroundPath()),
      ...applications,
    ],
  },
  {
    title: 'On a page',
    keys: [
      { keys: ['j'], does: 'Next row', command: { act: 'next' } },
      { keys: ['k'], does: 'Previous row', command: { act: 'previous' } },
      { keys: ['Enter'], does: 'Open row', command: null },
      { keys: ['f'], does: 'Freeze or follow the activity', command: { act: 'freeze' } },
      { keys: ['Esc'], does: 'Close dialog or menu', command: null },
    ],
  },
];

/** Milliseconds allowed between the two keys of a shortcut. */
const sequenceTimeout = 1500;

export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Turns key presses into commands. While the user types, only shortcuts with Ctrl
 * or Cmd act. */
export class KeyReader {
  #before: string | null = null;
  #at = 0;

  read(press: Press, typing: boolean, now: number): Command | null {
    const name = nameOf(press);
    const before = now - this.#at <= sequenceTimeout ? this.#before : null;
    this.#before = null;
    if (name === null || (typing && !name.startsWith('Mod+'))) return null;
    const found = before === null ? undefined : find([before, name]);
    if (found) return found;
    if (starts(name)) {
      this.#before = name;
      this.#at = now;
      return null;
    }
    return find([name]) ?? null;
  }
}

const all = sections.flatMap(({ keys }) => keys);

const find = (pressed: readonly string[]): Command | undefined =>
  all.find(({ keys }) => keys.length === pressed.length && keys.every((key, i) => key === pressed[i]))
    ?.command ?? undefined;

/** Whether a key is the first of two. */
const starts = (name: string) => all.some(({ keys }) => keys.length > 1 && keys[0] === name);

function nameOf({ key, ctrlKey, metaKey, altKey }: Press): string | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) return `Mod+${key.toLowerCase()}`;
  return key;
}

/** Address of the n-th application, if there is one. */
export const nthApplication = (ids: readonly string[], nth: number): string | null => {
  const id = ids[nth];
  return id === undefined ? null : applicationPath(id);
};
