const steps: Record<string, (from: number, screen: number, count: number) => number> = {
  ArrowDown: (from) => from + 1,
  j: (from) => from + 1,
  ArrowUp: (from) => from - 1,
  k: (from) => from - 1,
  PageDown: (from, screen) => from + screen,
  PageUp: (from, screen) => from - screen,
  Home: () => 0,
  End: (_from, _screen, count) => count - 1,
};

/** The row that a key moves to in a list that shows `screen` rows at once; null for
 * other keys. */
export function rowAfterKey(
  event: KeyboardEvent,
  from: number,
  screen: number,
  count: number,
): number | null {
  const step = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined;
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return null;
  return Math.max(0, Math.min(count - 1, step(from, Math.max(1, screen), count)));
}
