import { visible } from './visible';
import { dateFormat } from './zone.svelte';

/** Formats numbers, durations and times. Independent of the locale, because the
 * interface is English; times are 24-hour in the chosen time zone. */

const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

/** 7130 → "7,130". */
export const count = (n: number): string => integers.format(n);

/** A share between 0 and 1 → "71.3 %"; NaN, from 0 / 0, is "0 %". */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '0 %';
  // Do not round 9,999 of 10,000 to all, nor 1 of 10,000 to none.
  if (share < 1 && share > 0.999) return '99.9 %';
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${tenths.format(share * 100)} %`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 19096576 → "18.2 MiB". */
export function bytes(n: number): string {
  const power = n < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(n) / 10));
  return `${tenths.format(n / 1024 ** power)} ${units[power]}`;
}

/** "1 machine", "2 machines". */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** `plural` for the total of a list; "1,000+ packages" if counting stopped. */
export const total = (
  { totalCount, totalCountIsExact }: { totalCount: number; totalCountIsExact: boolean },
  one: string,
): string => (totalCountIsExact ? plural(totalCount, one) : `${count(totalCount)}+ ${one}s`);

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Seconds → the two largest useful units: "12 s", "51 min", "1 h 20 min", "3 d 4 h". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < minute) return `${s} s`;
  if (s < hour) return `${Math.floor(s / minute)} min`;
  if (s < day) return two(Math.floor(s / hour), 'h', Math.floor((s % hour) / minute), 'min');
  return two(Math.floor(s / day), 'd', Math.floor((s % day) / hour), 'h');
}

function two(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
}

const hourMinute = { hour: '2-digit', minute: '2-digit' } as const;
const dayMonth = { day: 'numeric', month: 'short' } as const;

const weekdayTime = dateFormat({ weekday: 'short', ...hourMinute });
const dateTime = dateFormat({ ...dayMonth, ...hourMinute });
const dayOnly = dateFormat(dayMonth);
const weekdayDate = dateFormat({ weekday: 'short', ...dayMonth });
const wholeDay = dateFormat({ dateStyle: 'short' });

/** "16:04", without its day. */
export const hourOfDay = dateFormat(hourMinute);

/** "16:04:12". */
export const seconds = dateFormat({ ...hourMinute, second: '2-digit' });

/** "23 Nov, 14:02:05". */
export const stamp = dateFormat({ ...dayMonth, ...hourMinute, second: '2-digit' });

/** "30 Nov 2026". */
export const dayOfYear = dateFormat({ ...dayMonth, year: 'numeric' });

/** "30 Nov 2026, 16:04". */
export const dated = dateFormat({ ...dayMonth, year: 'numeric', ...hourMinute });

/** "Sat 28 Nov". */
export const dayOfWeek = (at: Date): string => weekdayDate(at).replace(',', '');

/** Date, time and zone in full, for tooltips. */
export const exact = dateFormat({ dateStyle: 'full', timeStyle: 'long' });

const sameDay = (a: Date, b: Date): boolean => wholeDay(a) === wholeDay(b);

/** As short as it can be without being ambiguous: "16:04" today, "Fri 14:02"
 * within six days, else "12 Nov, 14:02". */
export function moment(at: Date, now: Date): string {
  const apart = Math.abs(at.getTime() - now.getTime()) / 1000;
  if (sameDay(at, now)) return hourOfDay(at);
  return apart < 6 * day ? weekdayTime(at).replace(',', '') : dateTime(at);
}

/** A time after a verb, as in "halted at 16:04", "halted Fri 14:02". */
export const momentAfterVerb = (at: Date, now: Date): string =>
  `${sameDay(at, now) ? 'at ' : ''}${moment(at, now)}`;

/** A span of time: "24 Oct–28 Nov", within a day "28 Nov, 01:12–02:31". */
export const span = (from: Date, to: Date, now: Date): string =>
  sameDay(from, to) ? `${moment(from, now)}–${hourOfDay(to)}` : `${dayOnly(from)}–${dayOnly(to)}`;

const utcMoment = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g;

/** Replaces the UTC times in a text of the API by those of the chosen zone. */
export const localTimes = (text: string, now: Date): string =>
  text.replace(utcMoment, (_, day, clock) => moment(new Date(`${day}T${clock}Z`), now));

/** Whether a text of the API contains a UTC time. */
export const namesTime = (text: string): boolean => text.search(utcMoment) >= 0;

/** Capitalises a text of the API, which starts in lower case. It may quote what a machine sent. */
export const sentence = (text: string): string =>
  text.charAt(0).toUpperCase() + text.slice(1).split('\n').map(visible).join('\n');

/** "4a0c…91d2": enough to distinguish machines by eye; copying gives the full id. */
export function shortId(id: string): string {
  return id.length <= 12 ? id : `${id.slice(0, 4)}…${id.slice(-4)}`;
}

/** ISO 8601 of the API ("PT15M", "P7D", "PT1H30M") → seconds. */
export function isoSeconds(text: string): number {
  const [, days, hours, minutes, rest] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text) ?? [];
  return (
    Number(days ?? 0) * day + Number(hours ?? 0) * hour + Number(minutes ?? 0) * minute + Number(rest ?? 0)
  );
}
