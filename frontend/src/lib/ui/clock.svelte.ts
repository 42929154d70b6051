import { createSubscriber } from 'svelte/reactivity';

/** The current time, updated every second, for texts such as "12 s ago". It ticks
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
