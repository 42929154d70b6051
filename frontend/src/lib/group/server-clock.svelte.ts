import { clock } from '$lib/ui/clock.svelte';

/** Differences below are the way a message takes, not a clock that is wrong. */
const tolerance = 1000;

/** The present by the clock of the server, so that what it announces ends here
 * when it ends there. */
export class ServerClock {
  #ahead = $state(0);

  /** Notes when a message was written that has just come. */
  note(asOf: string) {
    const ahead = Date.parse(asOf) - Date.now();
    if (Math.abs(ahead - this.#ahead) > tolerance) this.#ahead = ahead;
  }

  /** In ms since 1970. */
  get now(): number {
    return clock.now.getTime() + this.#ahead;
  }

  /** Seconds until a moment of the server; 0 when it has passed. */
  until(at: string): number {
    return Math.max(0, (Date.parse(at) - this.now) / 1000);
  }
}

/** Seconds → what a countdown shows: with seconds only where they matter. */
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
