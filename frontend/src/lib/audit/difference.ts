import { count, duration, percent, stamp } from '$lib/ui/format';

/** The change of one field. */
export interface Change {
  /** Readable path, such as "policy · wave 2 · share". */
  field: string;
  /** Null if it did not exist. */
  before: Value | null;
  /** Null if it no longer exists. */
  after: Value | null;
}

/** A formatted value, or a reference to another object. */
export type Value = { text: string; mono?: boolean } | { ref: Reference; id: string };
export type Reference = 'package' | 'channel' | 'group';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The object of an audit entry; null if it did not exist. */
export function fields(json: string): Record<string, Json> | null {
  if (json === '') return null;
  const value = JSON.parse(json) as Json;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

/** The changed fields, in the order of the object. */
export function difference(before: string, after: string): Change[] {
  const was = new Map(leaves(fields(before) ?? {}));
  const is = new Map(leaves(fields(after) ?? {}));
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((path) => JSON.stringify(was.get(path)) !== JSON.stringify(is.get(path)))
    .map((path) => ({
      field: text(path),
      before: value(path, was.get(path)),
      after: value(path, is.get(path)),
    }))
    .filter(({ before, after }) => before !== null || after !== null);
}

/** A change of one value in a sentence, such as "poll interval from 5 min to 50 min";
 * null if it names another object. */
export function changeText({ field, before, after }: Change): string | null {
  if ((before && 'ref' in before) || (after && 'ref' in after)) return null;
  if (!before) return after && `${field} set to ${after.text}`;
  return after ? `${field} from ${before.text} to ${after.text}` : `${field} removed, was ${before.text}`;
}

/** Fields that are not shown: own ids, counters and bookkeeping times. */
const hidden =
  /^(id|.*\.id|team_id|application_id|revision|created_at|.*\.created_at|.*package_id\.|salt|ID|Salt|Package|Version|override\.Version|CreatedAt|StartedAt|WaveAt|GateAt|Epoch|Evidence|WaveCounts|Leader|Failing|SetAside|action\.package_id|promoted_at|promoted_by|paused_at|paused_by|pause_reason|Halt\.(At|By|Reason|Machines)|override\.(By|Reason))$/;

/** Every value with its path; objects in lists are numbered from 1. */
function leaves(value: Json, path = ''): [path: string, value: Json][] {
  if (hidden.test(path)) return [];
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object' || item === null)) return [[path, value]];
    return value.flatMap((item, i) => leaves(item, `${path}.${i + 1}`));
  }
  if (typeof value !== 'object' || value === null) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) =>
    // ent stores related objects below "edges".
    leaves(inner, key === 'edges' ? path : path ? `${path}.${key}` : key),
  );
}

const named: Record<string, string> = {
  package_id: 'package',
  channel_id: 'channel',
  group_id: 'group',
  updatesEnabled: 'updates',
  quarantined: 'quarantined version',
  must_change_password: 'must change the password',
};
const singular: Record<string, string> = {
  waves: 'wave',
  windows: 'window',
  freezes: 'freeze',
  files: 'file',
};

/** "policy.waves.2.minFinished" → "policy · wave 2 · min finished". */
function text(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('.')) {
    const last = steps.at(-1);
    if (/^\d+$/.test(step) && last !== undefined)
      steps[steps.length - 1] = `${singular[last] ?? last} ${step}`;
    else
      steps.push(
        named[step] ??
          step
            .replace(/([a-z])([A-Z])/g, '$1 $2')
            .replaceAll('_', ' ')
            .toLowerCase(),
      );
  }
  return steps.join(' · ');
}

const choices: Record<string, readonly string[]> = {
  type: ['', 'operating system', 'Docker image', 'rkt image', 'other'],
  'override.Kind': ['none', 'held', 'pinned'],
  State: ['active', 'paused', 'halted', 'completed', 'superseded'],
};
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** Stored in nanoseconds. */
const spans = [
  'periodInterval',
  'updateTimeout',
  'rebootTimeout',
  'rebootOverdueAfter',
  'rebootReleaseAfter',
  'lostAfter',
  'evidenceAge',
  'soak',
  'pollInterval',
];
const shares = ['share', 'haltFailureShare', 'minSuccessShare', 'Share'];
const refs: Record<string, Reference> = { package_id: 'package', channel_id: 'channel', group: 'group' };
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A formatted value; null if it is empty. */
function value(path: string, raw: Json | undefined): Value | null {
  const key = path.split('.').at(-1) ?? '';
  if (raw === undefined || raw === null || raw === '' || raw === '0001-01-01T00:00:00Z') return null;
  if (Array.isArray(raw)) {
    if (raw.length === 0) return null;
    const texts = raw.map((item) => (key === 'days' ? (weekdays[Number(item)] ?? '') : String(item)));
    return { text: texts.join(', '), mono: key === 'canaries' };
  }
  if (typeof raw === 'boolean') return { text: raw ? 'on' : 'off' };
  if (typeof raw === 'number') return { text: numberText(path, key, raw) };
  const ref = refs[key];
  if (ref && uuid.test(String(raw))) return { ref, id: String(raw) };
  if (/^\d{4}-\d\d-\d\dT/.test(String(raw))) return { text: stamp(new Date(String(raw))) };
  return {
    text: String(raw),
    mono: /expression|sha|version|url|filename|color|machine|quarantined|pin/i.test(key),
  };
}

function numberText(path: string, key: string, raw: number): string {
  const choice = choices[path]?.[raw];
  if (choice !== undefined) return choice;
  if (spans.includes(key)) return duration(raw / 1e9);
  if (shares.includes(key)) return percent(raw);
  if (/windows\.\d+\.(start|end)$/.test(path))
    return `${String(Math.floor(raw / 60)).padStart(2, '0')}:${String(raw % 60).padStart(2, '0')}`;
  return count(raw);
}
