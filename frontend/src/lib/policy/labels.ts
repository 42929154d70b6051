import { policyForm, type Policy, type PolicyForm } from './form';

/** Labels of the fields. */
export const labels: Record<keyof PolicyForm, string> = {
  updatesEnabled: 'Updates enabled',
  safeMode: 'Safe mode',
  maxUpdatesPerPeriod: 'Machines per period',
  periodInterval: 'Period',
  maxConcurrentUpdates: 'Maximum in flight',
  updateTimeout: 'Update timeout',
  rebootTimeout: 'Reboot timeout',
  lostAfter: 'Lost after',
  evidenceAge: 'Machines count when known for',
  enrolledOnly: 'Enrolled machines only',
  timezone: 'Time zone',
  officeHours: 'Office hours only',
  windows: 'Windows',
  freezes: 'Freezes',
  waves: 'Waves',
  haltFailureShare: 'Halt at failure share (%)',
  haltMinAttempts: 'Minimum attempts before a halt',
  maxAttempts: 'Attempts per machine',
  onDemand: 'On-demand checks',
  pollInterval: 'Check interval',
  rebootSlots: 'Reboot slots',
  rebootWindows: 'Reboot windows',
  rebootOverdueAfter: 'Slot overdue after',
  rebootReleaseAfter: 'Release overdue slots after',
  rebootOverdueLimit: 'Overdue machines that stop reboots',
};

export const onDemandLabel: Record<Policy['onDemand'], { label: string; note: string }> = {
  SAME_RULES: { label: 'Follow the same rules', note: 'like every other check' },
  SKIPS_PACING: { label: 'Skip waves and caps', note: 'and safe mode' },
  SKIPS_PACING_AND_WINDOWS: { label: 'Skip waves, caps and windows', note: 'also freezes and safe mode' },
};

export interface Difference {
  label: string;
  before: string;
  after: string;
}

/** The fields in which two policies differ, formatted as in the form. */
export function differences(before: Policy, after: Policy): Difference[] {
  const [old, now] = [policyForm(before), policyForm(after)];
  return (Object.keys(labels) as (keyof PolicyForm)[])
    .filter((field) => JSON.stringify(old[field]) !== JSON.stringify(now[field]))
    .map((field) => ({ label: labels[field], before: text(old, field), after: text(now, field) }));
}

function text(form: PolicyForm, field: keyof PolicyForm): string {
  const value = form[field];
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (field === 'waves') return form.waves.map(({ share }) => `${share} %`).join(', ') || 'none';
  if (field === 'windows' || field === 'rebootWindows')
    return form[field].map(({ start, end }) => `${start}–${end}`).join(', ') || 'none';
  if (field === 'freezes') return form.freezes.map(({ from }) => `from ${from}`).join(', ') || 'none';
  if (field === 'onDemand') return onDemandLabel[form.onDemand].label.toLowerCase();
  return String(value) || 'none';
}

/** Applies edits to a policy that has changed: edited fields keep the edit, others
 * take the new value. */
export function rebase(form: PolicyForm, before: Policy, after: Policy): PolicyForm {
  const old = policyForm(before);
  const now = policyForm(after);
  const edited = (Object.keys(labels) as (keyof PolicyForm)[]).filter(
    (field) => JSON.stringify(form[field]) !== JSON.stringify(old[field]),
  );
  return { ...now, ...Object.fromEntries(edited.map((field) => [field, form[field]])) };
}
