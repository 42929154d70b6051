import { clock } from '$lib/ui/clock.svelte';

/** Milliseconds. Smaller differences are network latency, not a wrong clock. */
const tolerance = 1000;

/** The server's clock, so that countdowns end when the server says, even if the
 * browser's clock is wrong. */
export class ServerClock {
  #ahead = $state(0);

  /** Compares the clocks by the timestamp of a message that has just arrived. */
  note(asOf: string) {
    const ahead = Date.parse(asOf) - Date.now();
    if (Math.abs(ahead - this.#ahead) > tolerance) this.#ahead = ahead;
  }

  /** In ms since 1970. */
  get now(): number {
    return clock.now.getTime() + this.#ahead;
  }

  /** Seconds until a time of the server; 0 if it has passed. */
  until(at: string): number {
    return Math.max(0, (Date.parse(at) - this.now) / 1000);
  }
}

/** Formats a countdown; seconds are shown below 10 minutes. */
export function countdown(seconds: number): string {
  const s = Math.ceil(seconds);
  const [days, hours, minutes, rest] = [
    Math.floor(s / 86_400),
    Math.floor((s % 86_400) / 3600),
    Math.floor((s % 3600) / 60),
    s % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes >= 10) return `${minutes} min`;
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`;
}
