interface ByExpression {
  id: string;
  expression: string | null;
  priority: number;
}

/** The groups with an expression, in the order in which the server tries them. */
export const inOrder = <Group extends ByExpression>(groups: readonly Group[]): Group[] =>
  groups
    .filter(({ expression }) => expression)
    .sort((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1));
