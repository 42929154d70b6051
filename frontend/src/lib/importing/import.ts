import { graphql, type ResultOf } from '$lib/api/graphql';

export const importFragment = graphql(`
  fragment Import on Import {
    id
    source
    place
    by
    startedAt
    endedAt
    counts {
      kind
      new
      changed
      same
      conflict
      dropped
    }
  }
`);

export type Import = ResultOf<typeof importFragment>;

/** The name of the program that wrote the other database. */
export const sourceName = (source: string): string =>
  ({ nebraska: 'Nebraska', coreroller: 'CoreRoller 1.0' })[source] ?? source;

type Span = Pick<Import, 'startedAt' | 'endedAt'>;

/** The import during which something was paused; null if it is not in the list. */
export function importOf<T extends Span>(imports: readonly T[], at: string): T | null {
  const time = Date.parse(at);
  return (
    imports.find(
      ({ startedAt, endedAt }) =>
        Date.parse(startedAt) <= time && (endedAt === null || time <= Date.parse(endedAt)),
    ) ?? null
  );
}

/** Whether an import took or changed nothing. */
export const tookNothing = ({ counts }: Pick<Import, 'counts'>): boolean =>
  counts.every((count) => count.new + count.changed === 0);

export interface Note {
  kind: string;
  id: string;
  name: string;
  reason: string;
}

/** The notes by kind, in the order of the list. */
export function byKind(notes: readonly Note[]): { kind: string; notes: Note[] }[] {
  const kinds = new Map<string, Note[]>();
  for (const note of notes) {
    const before = kinds.get(note.kind);
    if (before) before.push(note);
    else kinds.set(note.kind, [note]);
  }
  return [...kinds].map(([kind, notes]) => ({ kind, notes }));
}

/** Whether a note is about something that is not here as it is there: left out, or kept as it is here. */
export const isLoss = ({ reason }: Pick<Note, 'reason'>): boolean => /^(not taken|conflict):/.test(reason);

/** Whether a URL is one of the files that Nebraska serves itself. */
export function isOnOldServer(url: string): boolean {
  return URL.canParse(url) && new URL(url).pathname.startsWith('/flatcar/');
}
