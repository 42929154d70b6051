import { policyForm, type Policy, type PolicyForm } from './form';

/** What the fields are called. */
export const labels: Record<keyof PolicyForm, string> = {
  updatesEnabled: 'Updates enabled',
  safeMode: 'Safe mode',
  maxUpdatesPerPeriod: 'Machines per period',
  periodInterval: 'Period',
  maxConcurrentUpdates: 'In flight at most',
  updateTimeout: 'Update timeout',
  rebootTimeout: 'Reboot timeout',
  timezone: 'Time zone',
  officeHours: 'Office hours only',
  windows: 'Windows',
  freezes: 'Freezes',
  waves: 'Waves',
  haltFailureShare: 'Halt when this share failed (%)',
  haltMinAttempts: 'Of at least this many attempts',
  maxAttempts: 'Attempts per machine',
  onDemand: 'Checks asked for at the machine',
  pollInterval: 'Check interval told to machines',
};

export const onDemandWords: Record<Policy['onDemand'], { label: string; note: string }> = {
  SAME_RULES: { label: 'Follow the same rules', note: 'as every other check' },
  SKIPS_PACING: { label: 'Skip waves and caps', note: 'and the first machine alone' },
  SKIPS_PACING_AND_WINDOWS: { label: 'Skip waves, caps and windows', note: 'freezes as well' },
};

export interface Difference {
  label: string;
  before: string;
  after: string;
}

/** In which fields two policies differ, in the words of the form. */
export function differences(before: Policy, after: Policy): Difference[] {
  const [old, now] = [policyForm(before), policyForm(after)];
  return (Object.keys(labels) as (keyof PolicyForm)[])
    .filter((field) => JSON.stringify(old[field]) !== JSON.stringify(now[field]))
    .map((field) => ({ label: labels[field], before: words(old, field), after: words(now, field) }));
}

function words(form: PolicyForm, field: keyof PolicyForm): string {
  const value = form[field];
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (field === 'waves') return form.waves.map(({ share }) => `${share} %`).join(', ') || 'none';
  if (field === 'windows')
    return form.windows.map(({ start, end }) => `${start}–${end}`).join(', ') || 'none';
  if (field === 'freezes') return form.freezes.map(({ from }) => `from ${from}`).join(', ') || 'none';
  if (field === 'onDemand') return onDemandWords[form.onDemand].label.toLowerCase();
  return String(value) || 'none';
}

/** What a person typed, over a policy that somebody changed meanwhile: fields
 * that were touched keep what was typed, the others take the new value. */
export function rebase(form: PolicyForm, before: Policy, after: Policy): PolicyForm {
  const old = policyForm(before);
  const now = policyForm(after);
  const touched = (Object.keys(labels) as (keyof PolicyForm)[]).filter(
    (field) => JSON.stringify(form[field]) !== JSON.stringify(old[field]),
  );
  return { ...now, ...Object.fromEntries(touched.map((field) => [field, form[field]])) };
}
