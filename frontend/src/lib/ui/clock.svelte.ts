import { createSubscriber } from 'svelte/reactivity';

/** The present, to the second, for everything that says "12 s ago". It ticks
 * only while something on the page reads it. */
class Clock {
  #tick = createSubscriber((update) => {
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  });

  get now(): Date {
    this.#tick();
    return new Date();
  }
}

export const clock = new Clock();
