import { expect, test } from 'vitest';
import { difference } from '$lib/audit/difference';
import { duration, percent } from '$lib/ui/format';
import { fields, initialPolicy } from './fields';
import { policyForm, readPolicyForm } from './form';
import { labels } from './labels';

// fields.json lists the policy fields of the server; a Go test keeps it current.
const names = fields.map(({ name }) => name).sort();

test('every policy field is in the query, in the form and has a label', () => {
  expect(Object.keys(labels).sort()).toEqual(names);
  const form = policyForm(initialPolicy);
  expect(Object.keys(form).sort()).toEqual(names);
  for (const { name, kind } of fields) if (kind === 'duration') expect(form[name]).not.toMatch(/^P/); // ISO 8601
});

test('every policy field has a control', () => {
  const sources = import.meta.glob('./*.svelte', { query: '?raw', import: 'default', eager: true });
  const source = Object.values(sources).join('\n');
  expect(names.filter((name) => !new RegExp(`form\\.${name}\\b`).test(source))).toEqual([]);
});

test('every change of a policy field reaches the input', () => {
  for (const { name, kind } of fields) {
    const form = policyForm(initialPolicy);
    const wave = {
      share: '100',
      canaries: '',
      expression: '',
      soak: '0 s',
      minFinished: '0',
      minSuccessShare: '0',
      approval: false,
    };
    const changed: Record<string, unknown> = {
      switch: !form[name],
      count: '42',
      duration: '42 s',
      share: '42',
      text: 'Europe/Lisbon',
      choice: 'SKIPS_PACING',
      list: name === 'waves' ? [wave] : [],
    };
    if (name === 'windows' || name === 'rebootWindows')
      changed['list'] = [{ days: ['MONDAY'], start: '22:00', end: '05:00' }];
    if (name === 'freezes')
      changed['list'] = [{ from: '2026-12-24T00:00', until: '2027-01-02T00:00', reason: '' }];
    const { input, problems } = readPolicyForm({ ...form, [name]: changed[kind] }, initialPolicy);
    expect({ name, keys: Object.keys(input), problems }).toEqual({ name, keys: [name], problems: [] });
  }
});

test('the audit shows durations and shares with their unit', () => {
  const shown = (name: string, raw: number) =>
    difference('', JSON.stringify({ policy: { [name]: raw } }))[0]?.after;
  for (const { name, kind } of fields) {
    if (kind === 'duration') expect(shown(name, 60e9)).toEqual({ text: duration(60) });
    if (kind === 'share') expect(shown(name, 0.5)).toEqual({ text: percent(0.5) });
  }
});

test('the initial policy is unchanged by the form', () => {
  expect(readPolicyForm(policyForm(initialPolicy), initialPolicy)).toEqual({ input: {}, problems: [] });
});
