import { theme, type ThemeChoice } from '$lib/ui/theme.svelte';
import { actionNeeds, possibleActions, type GroupAction } from '$lib/group/actions';
import { groupState } from '$lib/group/state';
import {
  activityPath,
  approvalsPath,
  applicationPath,
  auditPath,
  channelPath,
  connectPath,
  fleetPath,
  groupPath,
  importsPath,
  machinePath,
  machinesPath,
  mirrorsPath,
  notificationsPath,
  packagePath,
  passwordPath,
  playgroundPath,
  policyPath,
  refusedPath,
  settingsPath,
  storagePath,
} from '$lib/paths';
import { may } from '$lib/ui/may.svelte';
import { visible } from '$lib/ui/visible';
import type { Entry } from './entries';
import type { Known, PaletteSearch } from './palette-search.svelte';

type Go = (address: string) => void;

const pages: readonly [label: string, to: string, keywords?: string][] = [
  ['Fleet', fleetPath(), 'home overview'],
  ['Machines', machinesPath(null), 'instances'],
  ['Activity', activityPath(), 'events log'],
  ['Refused requests', refusedPath(), 'unknown track application rejected wrong address'],
  ['Approvals', approvalsPath(), 'proposals four eyes decide review'],
  ['Audit', auditPath(), 'changes who'],
  ['Mirrors', mirrorsPath(), 'upstream sync syncer flatcar nebraska import'],
  ['Imports', importsPath(), 'nebraska migrate move other server'],
  ['Settings', settingsPath(), 'health demo server'],
  ['Storage', storagePath(), 'payloads files uploads quota clean up downloads disk'],
  ['Notifications', notificationsPath(), 'webhooks slack mail alertmanager notifiers deliveries'],
  ['Connect a machine', connectPath(), 'first run install update.conf'],
  ['Change your password', passwordPath(), 'account'],
  ['API playground', playgroundPath(), 'graphql graphiql'],
];

const actionLabel: Record<GroupAction, string> = {
  pause: 'Pause',
  resume: 'Resume',
  halt: 'Halt',
  advance: 'Next wave',
  rollBack: 'Roll back',
};

const themeLabel: Record<ThemeChoice, string> = {
  light: 'Light theme',
  dark: 'Dark theme',
  system: 'System theme',
};

/** The entries of the palette that do not depend on the search, by section. */
export function staticEntries(known: Known | null, go: Go): Entry[] {
  return [
    ...groupEntries(known, go),
    ...pages.map(([label, to, keywords = '']): Entry => ({
      id: `page-${to}`,
      section: 'Pages',
      label,
      keywords,
      act: () => go(to),
    })),
    ...places(known, go),
    ...(Object.keys(themeLabel) as ThemeChoice[]).map((choice): Entry => ({
      id: `theme-${choice}`,
      section: 'Theme',
      label: themeLabel[choice],
      keywords: 'switch colour mode',
      act: () => (theme.choice = choice),
    })),
  ];
}

/** The actions on the group of the current page. */
function groupEntries(known: Known | null, go: Go): Entry[] {
  const group = known?.group;
  if (!group) return [];
  const { rollout, application, id, state } = group;
  const offer = (what: string, label: string, to: string): Entry => ({
    id: `do-${what}`,
    section: group.name,
    label,
    act: () => go(to),
  });
  // Keep the other query parameters of the page.
  const view = Object.fromEntries(new URLSearchParams(window.location.search));
  const actions = possibleActions(state, rollout);
  return [
    // The usual action first; on the page it is the last button.
    ...actions.toReversed().map((action) => ({
      ...offer(action, `${actionLabel[action]}…`, groupPath(application.id, id, { ...view, do: action })),
      denial: may.denial(actionNeeds[action], { name: 'this group', permissions: group.permissions }),
    })),
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
      keywords: productId ?? '',
      act: () => go(applicationPath(id)),
    })),
    ...applications.flatMap(({ id: application, name: where, groups }) =>
      groups.map(({ id, name, track, state }): Entry => ({
        id,
        section: 'Groups',
        label: name,
        where: `${where} · ${groupState[state].label}`,
        keywords: track,
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

/** The search results of the server. */
export function foundEntries({ machines, packages }: PaletteSearch, go: Go): Entry[] {
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
      label: visible(machineId),
      where: [alias, address, application.name].filter(Boolean).map(visible).join(' · '),
      mono: true,
      act: () => go(machinePath(application.id, id)),
    })),
  ];
}
