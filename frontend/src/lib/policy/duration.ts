import { isoSeconds } from '$lib/ui/format';

/** Durations as users type them ("15 min", "1 h 30 min", "7 d") and as in the API
 * (ISO 8601). */

const units = [
  { seconds: 604800, names: ['w', 'week', 'weeks'] },
  { seconds: 86400, names: ['d', 'day', 'days'] },
  { seconds: 3600, names: ['h', 'hour', 'hours', 'hr', 'hrs'] },
  { seconds: 60, names: ['min', 'm', 'mins', 'minute', 'minutes'] },
  { seconds: 1, names: ['s', 'sec', 'secs', 'second', 'seconds'] },
  { seconds: 0.001, names: ['ms', 'millisecond', 'milliseconds'] },
];

/** Weeks and milliseconds are parsed, but not used for output. */
const outputUnits = [
  ['d', 86400],
  ['h', 3600],
  ['min', 60],
] as const;

/** "PT1H30M" → "1 h 30 min", without loss. */
export function durationText(iso: string): string {
  let rest = isoSeconds(iso);
  const parts: string[] = [];
  for (const [name, seconds] of outputUnits) {
    const n = Math.floor(rest / seconds);
    if (n > 0) parts.push(`${n} ${name}`);
    rest -= n * seconds;
  }
  const left = Math.round(rest * 1000) / 1000;
  if (left > 0 || parts.length === 0) parts.push(`${left} s`);
  return parts.join(' ');
}

/** "1h 30 minutes" → "PT1H30M"; null if it cannot be parsed. Every number needs a
 * unit, because 15 could mean seconds or minutes. */
export function durationIso(text: string): string | null {
  const rest = text.trim().toLowerCase();
  if (!/^(\d+(\.\d+)?\s*[a-z]+[\s,]*)+$/.test(rest)) return null;
  let ms = 0;
  for (const [, number, name] of rest.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const unit = units.find(({ names }) => names.includes(name ?? ''));
    if (!unit) return null;
    ms += Number(number) * unit.seconds * 1000;
  }
  return secondsIso(Math.round(ms) / 1000);
}

function secondsIso(seconds: number): string {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Math.round((seconds % 60) * 1000) / 1000;
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${rest ? `${rest}S` : ''}`;
  if (!days && !time) return 'PT0S';
  return `P${days ? `${days}D` : ''}${time && `T${time}`}`;
}
