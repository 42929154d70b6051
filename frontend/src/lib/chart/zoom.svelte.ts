/** What the charts of a page show: all times, or the span that was chosen by dragging
 * in one of them. */
class Zoom {
  /** First and last time, in ms. */
  span = $state.raw<readonly [number, number] | null>(null);
}

export const zoom = new Zoom();
