/** The effect of shortcuts on the current page. Elements opt in with `data-key`
 * ("search", "freeze"); rows of lists with `data-row`. */

const fields = 'input, textarea, select, [contenteditable], [role="combobox"]';
/** While one of these is open, the page behind it gets no shortcuts. */
const covers = '[role="dialog"], [role="menu"], [role="listbox"]';
/** Input types without text. */
const textless = ['checkbox', 'radio', 'button', 'submit', 'reset', 'range', 'color', 'file'];

/** Whether the focused element needs the key itself. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest(covers)) return true;
  if (target instanceof HTMLInputElement) return !textless.includes(target.type);
  return target.closest(fields) !== null;
}

/** Focuses the search field or clicks the marked button of the page. */
export function press(name: 'search' | 'freeze'): boolean {
  const marked = name === 'search' ? `[data-key="search"], input[type="search"]` : `[data-key="${name}"]`;
  const found = [...document.querySelectorAll<HTMLElement>(`#main :is(${marked})`)].find(isShown);
  if (!found) return false;
  if (found instanceof HTMLInputElement) {
    found.focus();
    found.select();
  } else found.click();
  return true;
}

/** Moves the focus to the next or the previous row of a list. */
export function step(rows: string, by: 1 | -1): boolean {
  const all = [...document.querySelectorAll<HTMLElement>(rows)].filter(isShown);
  const here = all.indexOf(document.activeElement as HTMLElement);
  const next = here === -1 ? all.at(by === 1 ? 0 : -1) : all[here + by];
  next?.focus();
  return all.length > 0;
}

const isShown = (element: HTMLElement) => element.getClientRects().length > 0;
