/** Entries of the command palette, and which of them match the search text. */

export interface Entry {
  /** Unique in the palette, without spaces. */
  id: string;
  section: string;
  label: string;
  /** Its context, such as the application. */
  where?: string;
  /** More text that finds it. */
  keywords?: string;
  /** Set in monospace, as ids and versions are. */
  mono?: boolean;
  /** Why the user may not do it; null if the user may. */
  denial?: string | null;
  act: () => void;
}

/** Maximum number of entries per section. */
const maxEntries = 8;

/** The entries that match every search term, by section in the given order, best
 * matches first. */
export function matching(entries: readonly Entry[], typed: string): { section: string; entries: Entry[] }[] {
  const terms = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries
    .map((entry, place) => ({ entry, place, rank: rank(entry, terms) }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || a.place - b.place);
  const names = [...new Set(entries.map(({ section }) => section))];
  return names
    .map((section) => ({
      section,
      entries: found
        .filter(({ entry }) => entry.section === section)
        .map(({ entry }) => entry)
        .slice(0, maxEntries),
    }))
    .filter((group) => group.entries.length > 0);
}

/** 0 if the label starts with the first term, 1 if a later part does, 2 for any
 * other match; null if a term does not match. */
function rank({ label, where = '', keywords = '' }: Entry, typed: readonly string[]): number | null {
  if (typed.length === 0) return 0;
  const name = label.toLowerCase();
  const text = `${name} ${where} ${keywords}`.toLowerCase();
  if (!typed.every((word) => text.includes(word))) return null;
  const first = typed[0] ?? '';
  if (name.startsWith(first)) return 0;
  return text.split(/[\s/·:(]+/).some((word) => word.startsWith(first)) ? 1 : 2;
}
