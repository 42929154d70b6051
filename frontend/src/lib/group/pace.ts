import type { Timeline } from './timeline';

/** The caps and their current use. */
interface PaceNow {
  asOf: string;
  inFlight: number;
  concurrencyLimit: number;
  grantedInPeriod: number;
  periodLimit: number;
}

/** The stored numbers followed by the live ones. Times without data, such as while
 * the server was down, have a cap of 0 in the API and become gaps. */
export function paceColumns(timeline: Timeline | null, now: PaceNow) {
  const { times = [], pace } = timeline ?? {};
  // In a group without changes the live numbers are older than the stored points.
  const fresh = Date.parse(now.asOf) > Date.parse(times.at(-1) ?? '') || times.length === 0;
  const column = (values: readonly number[] = [], caps: readonly number[] = [], last: number) => [
    ...times.map((_, i) => (caps[i] ? (values[i] ?? null) : null)),
    ...(fresh ? [last] : []),
  ];
  return {
    times: [...times, ...(fresh ? [now.asOf] : [])],
    granted: column(pace?.granted, pace?.periodLimit, now.grantedInPeriod),
    periodCap: column(pace?.periodLimit, pace?.periodLimit, now.periodLimit),
    inFlight: column(pace?.inFlight, pace?.concurrencyLimit, now.inFlight),
    cap: column(pace?.concurrencyLimit, pace?.concurrencyLimit, now.concurrencyLimit),
  };
}
