import type { WayBack } from './way-back';

const day = (text: string) => `2026-${text}T12:00:00Z`;

/** For tests: a channel that points to 2.1.0, came from 1.9.3 and 2.0.0, and has two groups. */
export function wayBack(change: Partial<WayBack> = {}): WayBack {
  const policy = { maxConcurrentUpdates: 12, maxUpdatesPerPeriod: 20, periodInterval: 'PT15M' };
  const promotion = (id: string, version: string, from: string, to: string | null) => ({
    version,
    rolledBack: false,
    reason: '',
    promotedBy: 'ops-2',
    promotedAt: day(from),
    endedAt: to && day(to),
    package: { id },
  });
  return {
    id: 'c',
    name: 'stable',
    revision: 41,
    package: { id: 'p21', version: '2.1.0' },
    promotions: {
      nodes: [
        promotion('p21', '2.1.0', '11-22', null),
        promotion('p20', '2.0.0', '10-24', '11-22'),
        promotion('p19', '1.9.3', '09-01', '10-24'),
      ],
    },
    floors: [],
    blacklistings: [],
    groups: [
      { id: 'g', name: 'production', state: 'HALTED', numbers: { active: 240 }, policy },
      { id: 'h', name: 'branches', state: 'ROLLING_OUT', numbers: { active: 24 }, policy },
    ],
    application: {
      id: 'a',
      name: 'Harbor OS',
      packages: {
        nodes: [
          { id: 'p22', version: '2.2.0' },
          { id: 'p205', version: '2.0.5' },
          { id: 'p19', version: '1.9.3' },
        ],
      },
    },
    ...change,
  };
}
