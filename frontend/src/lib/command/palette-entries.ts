import { theme, type ThemeChoice } from '$lib/ui/theme.svelte';
import { possibleActions, type GroupAction } from '$lib/group/actions';
import { groupState } from '$lib/group/state';
import {
  activityPath,
  applicationPath,
  auditPath,
  channelPath,
  connectPath,
  fleetPath,
  groupPath,
  machinePath,
  machinesPath,
  packagePath,
  passwordPath,
  playgroundPath,
  policyPath,
  settingsPath,
} from '$lib/paths';
import type { Entry } from './entries';
import type { Known, PaletteSearch } from './palette-search.svelte';

type Go = (address: string) => void;

const pages: readonly [label: string, to: string, words?: string][] = [
  ['Fleet', fleetPath(), 'home overview'],
  ['Machines', machinesPath(null), 'instances'],
  ['Activity', activityPath(), 'events log'],
  ['Audit', auditPath(), 'changes who'],
  ['Settings', settingsPath(), 'health demo server'],
  ['Connect a machine', connectPath(), 'first run install update.conf'],
  ['Change your password', passwordPath(), 'account'],
  ['API playground', playgroundPath(), 'graphql graphiql'],
];

const actionLabel: Record<GroupAction, string> = {
  pause: 'Pause',
  resume: 'Resume',
  halt: 'Halt',
  advance: 'Next wave',
};

const themeLabel: Record<ThemeChoice, string> = {
  light: 'Light theme',
  dark: 'Dark theme',
  system: 'Theme of the system',
};

/** What the palette offers whatever is typed, in the order of its sections. */
export function offers(known: Known | null, go: Go): Entry[] {
  return [
    ...onGroup(known, go),
    ...pages.map(([label, to, words = '']): Entry => ({
      id: `page-${to}`,
      section: 'Pages',
      label,
      words,
      act: () => go(to),
    })),
    ...places(known, go),
    ...(Object.keys(themeLabel) as ThemeChoice[]).map((choice): Entry => ({
      id: `theme-${choice}`,
      section: 'Theme',
      label: themeLabel[choice],
      words: 'switch colour mode',
      act: () => (theme.choice = choice),
    })),
  ];
}

/** What can be done to the group on the screen. */
function onGroup(known: Known | null, go: Go): Entry[] {
  const group = known?.group;
  if (!group) return [];
  const { rollout, application, id, state } = group;
  const offer = (what: string, label: string, to: string): Entry => ({
    id: `do-${what}`,
    section: group.name,
    label,
    act: () => go(to),
  });
  // What the page shows below stays as it is.
  const view = Object.fromEntries(new URLSearchParams(window.location.search));
  const actions = possibleActions(state, rollout?.currentWave ?? 1, rollout?.waves.length ?? 1);
  return [
    // The usual one first; a page's row of buttons has it last.
    ...actions
      .toReversed()
      .map((action) =>
        offer(action, `${actionLabel[action]} …`, groupPath(application.id, id, { ...view, do: action })),
      ),
    offer('policy', 'Edit policy', policyPath(application.id, id)),
  ];
}

function places(known: Known | null, go: Go): Entry[] {
  const applications = known?.applications ?? [];
  return [
    ...applications.map(({ id, name, productId }): Entry => ({
      id,
      section: 'Applications',
      label: name,
      words: productId ?? '',
      act: () => go(applicationPath(id)),
    })),
    ...applications.flatMap(({ id: application, name: where, groups }) =>
      groups.map(({ id, name, track, state }): Entry => ({
        id,
        section: 'Groups',
        label: name,
        where: `${where} · ${groupState[state].word}`,
        words: track,
        act: () => go(groupPath(application, id)),
      })),
    ),
    ...applications.flatMap(({ id: application, name: where, channels }) =>
      channels.map(({ id, name, arch, package: target }): Entry => ({
        id,
        section: 'Channels',
        label: name,
        where: `${where} · ${arch}${target ? ` · ${target.version}` : ''}`,
        act: () => go(channelPath(application, id)),
      })),
    ),
  ];
}

/** What the server found, already by what was typed. */
export function findings({ machines, packages }: PaletteSearch, go: Go): Entry[] {
  return [
    ...packages.flatMap(({ id: application, name: where, packages: { nodes } }) =>
      nodes.map(({ id, version, arch }): Entry => ({
        id,
        section: 'Packages',
        label: version,
        where: `${where} · ${arch}`,
        mono: true,
        act: () => go(packagePath(application, id)),
      })),
    ),
    ...machines.map(({ id, machineId, alias, address, application }): Entry => ({
      id,
      section: 'Machines',
      label: machineId,
      where: [alias, address, application.name].filter(Boolean).join(' · '),
      mono: true,
      act: () => go(machinePath(application.id, id)),
    })),
  ];
}
