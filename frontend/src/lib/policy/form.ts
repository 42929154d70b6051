import { graphql, type ResultOf } from '$lib/api/graphql';
import type { UserError } from '$lib/api/request';
import { errorAt } from '$lib/form/submission.svelte';
import { sentence } from '$lib/ui/format';
import { durationIso, durationText } from './duration';
import { momentAt, wallTime } from '$lib/ui/local-time';
import { isZone } from '$lib/ui/zone.svelte';

export const policyFormFragment = graphql(`
  fragment PolicyForm on Policy {
    updatesEnabled
    safeMode
    maxUpdatesPerPeriod
    periodInterval
    maxConcurrentUpdates
    updateTimeout
    rebootTimeout
    lostAfter
    evidenceAge
    enrolledOnly
    timezone
    officeHours
    windows {
      days
      start
      end
    }
    freezes {
      from
      until
      reason
    }
    waves {
      share
      canaries
      expression
      soak
      minFinished
      minSuccessShare
      approval
    }
    haltFailureShare
    haltMinAttempts
    maxAttempts
    onDemand
    pollInterval
    rebootSlots
    rebootWindows {
      days
      start
      end
    }
    rebootOverdueAfter
    rebootReleaseAfter
    rebootOverdueLimit
  }
`);

export type Policy = ResultOf<typeof policyFormFragment>;
export type Weekday = Policy['windows'][number]['days'][number];

export type PolicyInput = ReturnType<typeof graphql.scalar<'PolicyInput'>>;

export const weekdays: readonly Weekday[] = [
  'MONDAY',
  'TUESDAY',
  'WEDNESDAY',
  'THURSDAY',
  'FRIDAY',
  'SATURDAY',
  'SUNDAY',
];

/** The form fields of a policy. Typed values are text. */
export interface PolicyForm {
  updatesEnabled: boolean;
  safeMode: boolean;
  maxUpdatesPerPeriod: string;
  periodInterval: string;
  maxConcurrentUpdates: string;
  updateTimeout: string;
  rebootTimeout: string;
  lostAfter: string;
  evidenceAge: string;
  enrolledOnly: boolean;
  timezone: string;
  officeHours: boolean;
  windows: WindowForm[];
  /** Times in the policy's zone. */
  freezes: { from: string; until: string; reason: string }[];
  waves: WaveForm[];
  /** In percent; "0" disables the rule. */
  haltFailureShare: string;
  haltMinAttempts: string;
  maxAttempts: string;
  onDemand: Policy['onDemand'];
  /** "" leaves the interval to the clients. */
  pollInterval: string;
  rebootSlots: string;
  rebootWindows: WindowForm[];
  rebootOverdueAfter: string;
  /** "" leaves the release to people. */
  rebootReleaseAfter: string;
  rebootOverdueLimit: string;
}

export interface WindowForm {
  days: Weekday[];
  start: string;
  end: string;
}

export interface WaveForm {
  /** In percent. */
  share: string;
  /** One machine id per line. */
  canaries: string;
  expression: string;
  soak: string;
  minFinished: string;
  /** In percent. */
  minSuccessShare: string;
  approval: boolean;
}

/** 0.05 → "5", 0.125 → "12.5": further digits are floating-point noise. */
const percentText = (share: number) => String(Number((share * 100).toFixed(6)));

const windowForms = (windows: Policy['windows']): WindowForm[] =>
  windows.map(({ days, start, end }) => ({ days: [...days], start, end }));

export function policyForm(policy: Policy): PolicyForm {
  return {
    ...policy,
    maxUpdatesPerPeriod: String(policy.maxUpdatesPerPeriod),
    maxConcurrentUpdates: String(policy.maxConcurrentUpdates),
    periodInterval: durationText(policy.periodInterval),
    updateTimeout: durationText(policy.updateTimeout),
    rebootTimeout: durationText(policy.rebootTimeout),
    enrolledOnly: policy.enrolledOnly,
    evidenceAge: policy.evidenceAge === 'PT0S' ? '' : durationText(policy.evidenceAge),
    lostAfter: policy.lostAfter === 'PT0S' ? '' : durationText(policy.lostAfter),
    windows: windowForms(policy.windows),
    freezes: policy.freezes.map(({ from, until, reason }) => ({
      from: wallTime(new Date(from), policy.timezone),
      until: wallTime(new Date(until), policy.timezone),
      reason,
    })),
    waves: policy.waves.map((wave) => ({
      share: percentText(wave.share),
      canaries: wave.canaries.join('\n'),
      expression: wave.expression,
      soak: durationText(wave.soak),
      minFinished: String(wave.minFinished),
      minSuccessShare: percentText(wave.minSuccessShare),
      approval: wave.approval,
    })),
    haltFailureShare: percentText(policy.haltFailureShare),
    haltMinAttempts: String(policy.haltMinAttempts),
    maxAttempts: String(policy.maxAttempts),
    pollInterval: policy.pollInterval ? durationText(policy.pollInterval) : '',
    rebootSlots: String(policy.rebootSlots),
    rebootWindows: windowForms(policy.rebootWindows),
    rebootOverdueAfter: durationText(policy.rebootOverdueAfter),
    rebootReleaseAfter: policy.rebootReleaseAfter === 'PT0S' ? '' : durationText(policy.rebootReleaseAfter),
    rebootOverdueLimit: String(policy.rebootOverdueLimit),
  };
}

export interface Draft {
  /** The edited fields. Others are left out, so that they keep their exact value. */
  input: PolicyInput;
  /** Fields that cannot be parsed. */
  problems: UserError[];
}

/** Parses the form. The server validates the result. */
export function readPolicyForm(form: PolicyForm, policy: Policy): Draft {
  const problems: UserError[] = [];
  const reject = (field: string, message: string) => problems.push({ field: `policy.${field}`, message });
  const whole = (field: string, text: string) => {
    if (/^\d{1,9}$/.test(text.trim())) return Number(text);
    reject(field, 'must be a whole number');
    return 0;
  };
  const share = (field: string, text: string) => {
    const plain = text.replace('%', '').trim();
    if (/^\d+(\.\d+)?$/.test(plain)) return Number((Number(plain) / 100).toPrecision(12));
    reject(field, 'must be a percentage');
    return 0;
  };
  const span = (field: string, text: string) => {
    const iso = durationIso(text);
    if (iso === null) reject(field, 'must be a time with a unit, such as 15 min or 1 h 30 min');
    return iso ?? 'PT0S';
  };
  const clock = (field: string, text: string) => {
    const [, hours, minutes] = /^(\d{1,2}):?(\d{2})$/.exec(text.trim()) ?? [];
    const at = `${hours?.padStart(2, '0')}:${minutes}`;
    if (/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(at)) return at;
    reject(field, 'must be a time such as 22:00');
    return '';
  };
  const windows = (field: string, all: WindowForm[]) =>
    all.map(({ days, start, end }, i) => ({
      days: weekdays.filter((day) => days.includes(day)),
      start: clock(`${field}[${i}].start`, start),
      end: clock(`${field}[${i}].end`, end),
    }));
  const time = (field: string, text: string) => {
    const at = momentAt(text, isZone(form.timezone) ? form.timezone : 'UTC');
    if (!at) reject(field, 'is missing');
    return at?.toISOString() ?? '';
  };

  const read: { [Field in keyof PolicyForm]: () => PolicyInput[Field] } = {
    updatesEnabled: () => form.updatesEnabled,
    safeMode: () => form.safeMode,
    maxUpdatesPerPeriod: () => whole('maxUpdatesPerPeriod', form.maxUpdatesPerPeriod),
    periodInterval: () => span('periodInterval', form.periodInterval),
    maxConcurrentUpdates: () => whole('maxConcurrentUpdates', form.maxConcurrentUpdates),
    updateTimeout: () => span('updateTimeout', form.updateTimeout),
    rebootTimeout: () => span('rebootTimeout', form.rebootTimeout),
    lostAfter: () => (form.lostAfter.trim() === '' ? 'PT0S' : span('lostAfter', form.lostAfter)),
    enrolledOnly: () => form.enrolledOnly,
    evidenceAge: () => (form.evidenceAge.trim() === '' ? 'PT0S' : span('evidenceAge', form.evidenceAge)),
    timezone: () => form.timezone.trim(),
    officeHours: () => form.officeHours,
    windows: () => windows('windows', form.windows),
    freezes: () =>
      form.freezes.map(({ from, until, reason }, i) => ({
        from: time(`freezes[${i}].from`, from),
        until: time(`freezes[${i}].until`, until),
        reason,
      })),
    waves: () =>
      form.waves.map((wave, i) => ({
        share: share(`waves[${i}].share`, wave.share),
        canaries: wave.canaries.split(/[\s,]+/).filter(Boolean),
        expression: wave.expression.trim(),
        soak: span(`waves[${i}].soak`, wave.soak),
        minFinished: whole(`waves[${i}].minFinished`, wave.minFinished),
        minSuccessShare: share(`waves[${i}].minSuccessShare`, wave.minSuccessShare),
        approval: wave.approval,
      })),
    haltFailureShare: () => share('haltFailureShare', form.haltFailureShare),
    haltMinAttempts: () => whole('haltMinAttempts', form.haltMinAttempts),
    maxAttempts: () => whole('maxAttempts', form.maxAttempts),
    onDemand: () => form.onDemand,
    pollInterval: () => (form.pollInterval.trim() === '' ? null : span('pollInterval', form.pollInterval)),
    rebootSlots: () => whole('rebootSlots', form.rebootSlots),
    rebootWindows: () => windows('rebootWindows', form.rebootWindows),
    rebootOverdueAfter: () => span('rebootOverdueAfter', form.rebootOverdueAfter),
    rebootReleaseAfter: () =>
      form.rebootReleaseAfter.trim() === '' ? 'PT0S' : span('rebootReleaseAfter', form.rebootReleaseAfter),
    rebootOverdueLimit: () => whole('rebootOverdueLimit', form.rebootOverdueLimit),
  };

  const before = policyForm(policy);
  // Freezes are local times: when the zone changes, they change too.
  const moved = form.timezone !== before.timezone && form.freezes.length > 0;
  const changed = (field: keyof PolicyForm) =>
    JSON.stringify(form[field]) !== JSON.stringify(before[field]) || (field === 'freezes' && moved);
  const fields = (Object.keys(read) as (keyof PolicyForm)[]).filter(changed);
  const input = Object.fromEntries(fields.map((field) => [field, read[field]()])) as PolicyInput;
  return { input, problems };
}

/** The error of a field of the policy, such as "waves[1].share". */
export const problemOf = (problems: readonly UserError[], field: string): string | undefined =>
  errorAt(problems, `policy.${field}`);

/** The error of a list field or of one of its entries, such as "waves[1].canaries[3]". */
export function problemInside(problems: readonly UserError[], field: string): string | undefined {
  const path = `policy.${field}`;
  const found = problems.find((problem) => problem.field === path || problem.field?.startsWith(`${path}[`));
  return found && sentence(found.message);
}
