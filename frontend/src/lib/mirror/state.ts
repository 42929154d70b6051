import type { Tone } from '$lib/ui/tone';
import { plural } from '$lib/ui/format';
import { compareVersions } from '$lib/version/compare';
import type { Mirror, MirrorChannel } from './mirror';

export interface ChannelState {
  kind:
    | 'off'
    | 'failing'
    | 'new'
    | 'withdrawn'
    | 'problem'
    | 'none'
    | 'current'
    | 'found'
    | 'imported'
    | 'proposed'
    | 'behind';
  label: string;
  tone: Tone;
}

const state = (kind: ChannelState['kind'], tone: Tone, label: string): ChannelState => ({
  kind,
  tone,
  label,
});

/** What a row of a mirror is in. What needs a person comes first. */
export function channelState(row: MirrorChannel, enabled: boolean): ChannelState {
  if (!enabled) return state('off', 'quiet', 'Off');
  if (row.failingSince)
    return state('failing', 'fail', row.failures > 1 ? `Failing, ${plural(row.failures, 'run')}` : 'Failing');
  if (!row.lastRunAt) return state('new', 'fly', 'First run');
  if (row.withdrawn) return state('withdrawn', 'warn', 'Withdrawn upstream');
  if (row.problem) return state('problem', 'warn', 'Not followed');
  if (!row.upstreamVersion) return state('none', 'quiet', 'Nothing offered');
  if (!isBehind(row)) return state('current', 'done', 'Up to date');
  if (row.mode === 'NOTIFY') return state('found', 'warn', 'New version');
  if (row.mode === 'IMPORT') return state('imported', 'warn', 'Imported');
  return row.channel.promotionNeedsApproval
    ? state('proposed', 'warn', 'Needs approval')
    : state('behind', 'fly', 'Next run promotes');
}

/** Whether the upstream has a higher version than the channel. */
const isBehind = ({ upstreamVersion, channel }: MirrorChannel) =>
  !channel.package || compareVersions(upstreamVersion, channel.package.version) > 0;

/** Whether a row opens by itself: it fails, or the upstream is not followed. */
export const hasReason = ({ kind }: ChannelState) =>
  kind === 'failing' || kind === 'withdrawn' || kind === 'problem';

const waitsForPerson: readonly ChannelState['kind'][] = [
  'withdrawn',
  'problem',
  'found',
  'imported',
  'proposed',
];

export interface MirrorSummary {
  /** Channels of mirrors that are on. */
  channels: number;
  current: number;
  failing: readonly MirrorChannel[];
  waiting: readonly MirrorChannel[];
  lastRunAt: string | null;
  nextRunAt: string | null;
}

/** The numbers of all mirrors. */
export function summaryOf(mirrors: readonly Mirror[]): MirrorSummary {
  const rows = mirrors.filter(({ enabled }) => enabled).flatMap(({ channels }) => channels);
  const within = (kinds: readonly ChannelState['kind'][]) =>
    rows.filter((row) => kinds.includes(channelState(row, true).kind));
  const times = (read: (row: MirrorChannel) => string | null) =>
    rows.flatMap((row) => read(row) ?? []).sort((a, b) => Date.parse(a) - Date.parse(b));
  return {
    channels: rows.length,
    current: within(['current']).length,
    failing: within(['failing']),
    waiting: within(waitsForPerson),
    lastRunAt: times((row) => row.lastRunAt).at(-1) ?? null,
    nextRunAt: times((row) => row.nextRunAt)[0] ?? null,
  };
}
