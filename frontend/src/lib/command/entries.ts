/** What the command palette offers, and which of it answers to what was typed. */

export interface Entry {
  /** Unique in the palette, without spaces. */
  id: string;
  section: string;
  label: string;
  /** What it belongs to. */
  where?: string;
  /** Other words it answers to. */
  words?: string;
  /** Ids and versions look like it. */
  mono?: boolean;
  act: () => void;
}

/** Entries of one section that are shown at most. */
const most = 8;

/** The entries that hold every word that was typed, the best of each section
 * first, the sections in the order they came in. */
export function matching(entries: readonly Entry[], typed: string): { section: string; entries: Entry[] }[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries
    .map((entry, place) => ({ entry, place, rank: rank(entry, words) }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || a.place - b.place);
  const names = [...new Set(entries.map(({ section }) => section))];
  return names
    .map((section) => ({
      section,
      entries: found
        .filter(({ entry }) => entry.section === section)
        .map(({ entry }) => entry)
        .slice(0, most),
    }))
    .filter((group) => group.entries.length > 0);
}

/** 0 when the label begins with what was typed, 1 when a word of it does, 2 when
 * it is anywhere; null when a word is missing. */
function rank({ label, where = '', words = '' }: Entry, typed: readonly string[]): number | null {
  if (typed.length === 0) return 0;
  const name = label.toLowerCase();
  const text = `${name} ${where} ${words}`.toLowerCase();
  if (!typed.every((word) => text.includes(word))) return null;
  const first = typed[0] ?? '';
  if (name.startsWith(first)) return 0;
  return text.split(/[\s/·:(]+/).some((word) => word.startsWith(first)) ? 1 : 2;
}
