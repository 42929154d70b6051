// What GraphiQL leaves out for screen readers and the keyboard, added to its elements. They are
// replaced while it is used, so an observer repeats it.

/** The accessible name of an editor, by the region that GraphiQL has around it. */
const editors: [region: string, label: string][] = [
  ['.graphiql-query-editor', 'Operation'],
  ['.graphiql-editor-tool .graphiql-editor:not(.hidden)', 'Variables or headers, as JSON'],
  ['.result-window', 'Result'],
];

/** Keeps the elements below root accessible. */
export function keepAccessible(root: HTMLElement) {
  const repair = () => {
    for (const area of root.querySelectorAll('.CodeMirror textarea')) {
      const found = editors.find(([region]) => area.closest(region));
      set(area, 'aria-label', found?.[1] ?? 'Variables or headers, as JSON');
    }
    for (const region of root.querySelectorAll('.CodeMirror-scroll')) set(region, 'tabindex', '0');
    // A tab holds its own buttons, so it is a list item with two buttons.
    for (const list of root.querySelectorAll('.graphiql-tabs')) {
      set(list, 'role', 'list');
      for (const tab of list.querySelectorAll('.graphiql-tab')) {
        tab.removeAttribute('aria-selected');
        set(tab, 'role', 'listitem');
        const button = tab.querySelector('.graphiql-tab-button');
        if (!button) continue;
        button.removeAttribute('role');
        set(button, 'aria-pressed', String(tab.classList.contains('graphiql-tab-active')));
      }
    }
    // Named by its text, the operation, not "Set active".
    for (const item of root.querySelectorAll('button.graphiql-history-item-label'))
      item.removeAttribute('aria-label');
    const session = root.querySelector('#graphiql-session');
    if (session) set(session, 'role', 'region');
  };
  repair();
  new MutationObserver(repair).observe(root, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ['class', 'role', 'aria-selected', 'tabindex'],
  });
}

/** Sets an attribute only if it differs, so that the observer is not called again. */
function set(element: Element, name: string, value: string) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
