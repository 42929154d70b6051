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
  words: string;
  met: boolean;
}

/** What keeps the next wave closed, rule by rule, in the order they are met.
 * `soak` in seconds; `until`: seconds to a moment of the server. */
export function gateRules(gate: Gate, soak: number, until: (at: string) => number): GateRule[] {
  const rules: GateRule[] = [];
  if (gate.minFinished > 0) {
    rules.push({
      words: `${count(gate.finished)} of ${count(gate.minFinished)} finished`,
      met: gate.finished >= gate.minFinished,
    });
  }
  if (gate.minSuccessShare > 0) {
    rules.push({
      words: `${percent(gate.successShare)} ok of ${percent(gate.minSuccessShare)}`,
      met: gate.finished > 0 && gate.successShare >= gate.minSuccessShare,
    });
  }
  if (soak > 0) {
    const left = gate.soakEndsAt ? until(gate.soakEndsAt) : null;
    if (left === null) rules.push({ words: `then ${duration(soak)} of soak`, met: false });
    else if (left > 0) rules.push({ words: `soaks for ${countdown(left)}`, met: false });
    else rules.push({ words: `soaked ${duration(soak)}`, met: true });
  }
  if (gate.needsApproval) rules.push({ words: 'needs approval', met: false });
  return rules;
}
