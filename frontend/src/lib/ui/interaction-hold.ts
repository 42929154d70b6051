/** Attach to an element whose content must not move during use: calls `hold` when
 * the pointer or the focus enters it, and `release` when it leaves. */
export const holdWhileUsed =
  (hold: (why: string) => void, release: (why: string) => void) => (element: HTMLElement) => {
    const events = new AbortController();
    const on = (name: string, act: (event: Event) => void) =>
      element.addEventListener(name, act, { signal: events.signal });
    // In a microtask, because it also runs while the component is destroyed, when
    // state must not change.
    const releaseLater = (why: string) => queueMicrotask(() => release(why));
    on('pointerenter', () => hold('pointer'));
    on('pointerleave', () => releaseLater('pointer'));
    on('focusin', () => hold('focus'));
    on('focusout', (event) => {
      if (!element.contains((event as FocusEvent).relatedTarget as Node | null)) releaseLater('focus');
    });
    return () => {
      events.abort();
      releaseLater('pointer');
      releaseLater('focus');
    };
  };
