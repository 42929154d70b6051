import { graphql, type ResultOf } from '$lib/api/graphql';
import { plural } from '$lib/ui/format';

export const previewExpressionQuery = graphql(`
  query PreviewExpression($input: PreviewGroupExpressionInput!) {
    previewGroupExpression(input: $input) {
      machines
      complete
      matches
      comes
      leaves
      waiting
      kept
      sentence
      moves {
        from {
          id
          name
        }
        to {
          id
          name
        }
        machines
        samples
        sampleIds
      }
    }
  }
`);

export type ExpressionPreview = ResultOf<typeof previewExpressionQuery>['previewGroupExpression'];

/** The expression of a group and its priority, as a form has them. */
export interface ExpressionInput {
  expression: string;
  /** A text, because a field has any. */
  priority: string;
}

const highest = 10_000;

/** The priority as a number; null if it is none that the server takes. */
export function priorityOf(text: string): number | null {
  const trimmed = text.trim() || '0';
  return /^\d{1,5}$/.test(trimmed) && Number(trimmed) <= highest ? Number(trimmed) : null;
}

/** What a mutation sends: only what differs, because a change of either needs the role on the
 * whole application. Null for a priority that the server would not take. */
export function changedExpression(
  before: { expression: string | null; priority: number } | undefined,
  now: ExpressionInput,
): { expression?: string; priority?: number } | null {
  const expression = now.expression.trim();
  const priority = priorityOf(now.priority);
  if (priority === null) return null;
  return {
    ...(expression === (before?.expression ?? '').trim() ? {} : { expression }),
    ...(priority === (before?.priority ?? 0) ? {} : { priority }),
  };
}

/** Whether a change can move machines, so that its preview is shown. */
export const needsPreview = (
  before: { expression: string | null } | undefined,
  change: { expression?: string; priority?: number } | null,
): boolean =>
  change !== null &&
  (change.expression !== undefined || (change.priority !== undefined && !!before?.expression));

/** Machines that change their group, those that wait for the end of an update included. */
export const movedMachines = (preview: Pick<ExpressionPreview, 'moves'>): number =>
  preview.moves.reduce((sum, { machines }) => sum + machines, 0);

/** The label of the button that saves, with what the expression moves. */
export function savingVerb(verb: string, preview: Pick<ExpressionPreview, 'moves' | 'complete'> | null) {
  if (!preview) return verb;
  const moved = movedMachines(preview);
  if (moved === 0 && preview.complete) return `${verb}, move no machine`;
  return `${verb}, move ${preview.complete ? '' : 'at least '}${plural(moved, 'machine')}`;
}

/** The position of each group among the expressions of its architecture, in the order in which
 * they are tried: lowest priority first, then the lower id. */
export function expressionOrder<
  Group extends { id: string; arch: string; expression: string | null; priority: number },
>(groups: readonly Group[]): { group: Group; place: number; of: number }[] {
  const tried = groups
    .filter(({ expression }) => expression)
    .sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
  const like = ({ arch }: Group) => tried.filter((one) => one.arch === arch);
  return tried.map((group) => ({ group, place: like(group).indexOf(group) + 1, of: like(group).length }));
}

const ordinals = ['first', 'second', 'third'];

/** "first of 3 expressions for amd64", "the only expression for amd64". */
export function placeText({ group, place, of }: { group: { arch: string }; place: number; of: number }) {
  if (of === 1) return `the only expression for ${group.arch}`;
  const which = place === of && of > 3 ? 'last' : (ordinals[place - 1] ?? `number ${place}`);
  return `${which} of ${of} expressions for ${group.arch}`;
}
