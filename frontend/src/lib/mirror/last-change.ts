import type { MirrorChannel } from './mirror';

/** What changed last on a channel of a mirror. */
export interface LastChange {
  text: string;
  /** All that changed then. */
  title: string;
  at: string;
}

interface Change {
  endedAt: string;
  outcome: string;
  changes: readonly string[];
  upstreamChannel: { id: string } | null;
}

/** The last change that is known: by a run, or by a person who promoted. The runs are those
 * of all mirrors, newest first. */
export function lastChangeOf(row: MirrorChannel, runs: readonly Change[]): LastChange | null {
  const run = runs.find(
    ({ upstreamChannel, outcome }) => upstreamChannel?.id === row.id && outcome === 'CHANGED',
  );
  const changed = run ? { text: short(run.changes), title: run.changes.join(', '), at: run.endedAt } : null;
  const { promotedAt, promotedBy } = row.channel;
  if (!promotedAt || (changed && Date.parse(changed.at) >= Date.parse(promotedAt))) return changed;
  const text = promotedBy ? `promoted by ${promotedBy}` : 'promoted';
  return { text, title: text, at: promotedAt };
}

/** The last step, without what the state of the row says. */
function short(changes: readonly string[]): string {
  const steps = changes.filter((change) => !change.startsWith('found '));
  return steps.at(-1) ?? changes[0]?.replace(/,.*/, '') ?? '';
}
