import type { PolicyInput } from './form';

/** A preset policy. */
export interface Preset {
  id: string;
  label: string;
  note: string;
  policy: PolicyInput;
}

const everyday = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY', 'SUNDAY'] as const;
const wave = {
  canaries: [],
  expression: '',
  minFinished: 0,
  minSuccessShare: 0,
  soak: 'PT0S',
  approval: false,
};
const always = { officeHours: false, windows: [] };

export const presets: readonly Preset[] = [
  {
    id: 'careful',
    label: 'One machine first, then all',
    note: 'Ten at once; halts if 20 % fail',
    policy: {
      safeMode: true,
      maxUpdatesPerPeriod: 20,
      periodInterval: 'PT15M',
      maxConcurrentUpdates: 10,
      waves: [],
      haltFailureShare: 0.2,
      haltMinAttempts: 5,
      ...always,
    },
  },
  {
    id: 'waves',
    label: 'Waves of 5, 25 and 100 %',
    note: 'Each wave soaks for 1 h and needs 95 % success',
    policy: {
      safeMode: true,
      maxUpdatesPerPeriod: 50,
      periodInterval: 'PT15M',
      maxConcurrentUpdates: 50,
      waves: [
        { ...wave, share: 0.05, soak: 'PT1H', minFinished: 1, minSuccessShare: 0.95 },
        { ...wave, share: 0.25, soak: 'PT1H', minFinished: 1, minSuccessShare: 0.95 },
        { ...wave, share: 1 },
      ],
      haltFailureShare: 0.1,
      haltMinAttempts: 10,
      ...always,
    },
  },
  {
    id: 'night',
    label: 'At night only',
    note: '22:00 to 05:00 in its time zone',
    policy: {
      safeMode: true,
      maxUpdatesPerPeriod: 20,
      periodInterval: 'PT15M',
      maxConcurrentUpdates: 20,
      waves: [],
      officeHours: false,
      windows: [{ days: [...everyday], start: '22:00', end: '05:00' }],
    },
  },
];
