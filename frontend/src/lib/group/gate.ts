import { count, duration, percent } from '$lib/ui/format';
import { countdown } from './server-clock.svelte';

interface Gate {
  satisfied: boolean;
  finished: number;
  minFinished: number;
  successShare: number;
  minSuccessShare: number;
  soakEndsAt: string | null;
  needsApproval: boolean;
}

export interface GateRule {
  text: string;
  met: boolean;
}

/** The rules that open the next wave, in the order they are met. `soak` in seconds;
 * `until` returns the seconds to a time of the server. */
export function gateRules(gate: Gate, soak: number, until: (at: string) => number): GateRule[] {
  const rules: GateRule[] = [];
  if (gate.minFinished > 0) {
    rules.push({
      text: `${count(gate.finished)} of ${count(gate.minFinished)} finished`,
      met: gate.finished >= gate.minFinished,
    });
  }
  if (gate.minSuccessShare > 0) {
    rules.push({
      text: `${percent(gate.successShare)} succeeded, needs ${percent(gate.minSuccessShare)}`,
      met: gate.finished > 0 && gate.successShare >= gate.minSuccessShare,
    });
  }
  if (soak > 0) {
    const left = gate.soakEndsAt ? until(gate.soakEndsAt) : null;
    if (left === null) rules.push({ text: `then soaks ${duration(soak)}`, met: false });
    else if (left > 0) rules.push({ text: `soaks for ${countdown(left)}`, met: false });
    else rules.push({ text: `soaked ${duration(soak)}`, met: true });
  }
  if (gate.needsApproval) rules.push({ text: 'needs approval', met: false });
  return rules;
}
