/** Attach to an element whose content must not jump under pointer or focus: says
 * when one of them is on it and when it left. */
export const underHand =
  (hold: (why: string) => void, release: (why: string) => void) => (element: HTMLElement) => {
    const events = new AbortController();
    const on = (name: string, act: (event: Event) => void) =>
      element.addEventListener(name, act, { signal: events.signal });
    // Later, because it also happens while the page is being taken down, when
    // no state may change.
    const letGo = (why: string) => queueMicrotask(() => release(why));
    on('pointerenter', () => hold('pointer'));
    on('pointerleave', () => letGo('pointer'));
    on('focusin', () => hold('focus'));
    on('focusout', (event) => {
      if (!element.contains((event as FocusEvent).relatedTarget as Node | null)) letGo('focus');
    });
    return () => {
      events.abort();
      letGo('pointer');
      letGo('focus');
    };
  };
