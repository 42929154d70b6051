import { durationText } from '$lib/policy/duration';
import { isoSeconds } from '$lib/ui/format';
import type { Mirror } from './mirror';
import { fromUpstream } from './template';

const intervals = ['PT1M', 'PT10M', 'PT30M', 'PT1H', 'PT6H', 'P1D'];

/** The choices of the time between two runs, with the present one. */
export function intervalOptions(present: string, least: number): { value: string; label: string }[] {
  const all = intervals.filter((iso) => isoSeconds(iso) >= least && isoSeconds(iso) !== isoSeconds(present));
  return [...all, present]
    .sort((a, b) => isoSeconds(a) - isoSeconds(b))
    .map((value) => ({ value, label: `Every ${durationText(value)}` }));
}

/** The fields of a mirror. It starts with those of a mirror, which does not change it. */
export class MirrorForm {
  name = $state('');
  url = $state('');
  remoteAppId = $state('');
  interval = $state('PT1H');
  /** `upstream`, or `own` for a server that the user names. */
  source = $state('upstream');
  template = $state('');
  ca = $state('');
  enabled = $state(true);

  constructor(mirror?: Mirror) {
    if (!mirror) return;
    const own = mirror.urlTemplate !== fromUpstream;
    this.name = mirror.name;
    this.url = mirror.url;
    this.remoteAppId = mirror.remoteAppId;
    this.interval = mirror.interval;
    this.source = own ? 'own' : 'upstream';
    this.template = own ? mirror.urlTemplate : '';
    this.ca = mirror.ca;
    this.enabled = mirror.enabled;
  }

  get urlTemplate(): string {
    return this.source === 'own' ? this.template : fromUpstream;
  }
}
