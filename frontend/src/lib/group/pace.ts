import type { Timeline } from './timeline';

/** The caps and what was used of them, now. */
interface PaceNow {
  asOf: string;
  inFlight: number;
  concurrencyLimit: number;
  grantedInPeriod: number;
  periodLimit: number;
}

/** The stored pace and the present moment. Where nothing was kept, such as while
 * the server was down, the API says a cap of 0: a gap in the chart. */
export function paceColumns(timeline: Timeline | null, now: PaceNow) {
  const { times = [], pace } = timeline ?? {};
  // The numbers of a group in which nothing happens are older than its points.
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
