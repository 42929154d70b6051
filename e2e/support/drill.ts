import type { Locator, Page } from '@playwright/test';
import type { Api, Rollout } from './api.ts';
import { card, state } from './scenarios.ts';
import { expect } from './test.ts';

export const text = async (what: Locator) => (await what.innerText()).replaceAll(/\s+/g, ' ').trim();

/** What the pages must show of a group. */
export const situation = (api: Api, groupId: string) =>
  api
    .ask<{
      group: {
        state: string;
        numbers: Record<
          'total' | 'active' | 'onTarget' | 'badVersion' | 'inFlight' | 'waiting' | 'failed' | 'quarantined',
          number
        > & { byVersion: { version: string; machines: number }[] };
        rollout: {
          id: string;
          attempts: { finished: number; failed: number };
          failures: { outcome: string; code: number; attempts: number }[];
          halt: { failed: number; finished: number } | null;
        };
      };
    }>(
      `query ($groupId: ID!) { group(id: $groupId) { state numbers { total active onTarget badVersion inFlight waiting
        failed quarantined byVersion { version machines } } rollout { id attempts { finished failed }
        failures { outcome code attempts } halt { failed finished } } } }`,
      { groupId },
    )
    .then(({ group }) => group);

export type Situation = Awaited<ReturnType<typeof situation>>;

export const on = (version: string, { numbers }: Situation) =>
  numbers.byVersion.find((one) => one.version === version)?.machines ?? 0;

/** What the pages show at a step, besides the numbers. */
export interface Step {
  state: 'Rolling out' | 'Halted' | 'Up to date';
  /** The channel's package. */
  target: string;
  /** What the watched machine runs, its state, and what it waits for. */
  machine: RegExp[];
  /** What needs attention. */
  attention: RegExp[];
  /** The newest entries of the activity, newest first. */
  activity: RegExp[];
  /** The state at the end of the incident's time. */
  incident: RegExp;
}

const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1).replace(/\.0$/, '')} %`;

/** The numbers of the figures of a page by their label. */
const figures = (page: Page) =>
  page
    .getByRole('main')
    .locator('.figure')
    .evaluateAll((all) =>
      Object.fromEntries(
        all.map((one) => [
          one.querySelector('.label')?.textContent ?? '',
          Number((one.querySelector('b')?.firstChild?.textContent ?? '').replaceAll(',', '')),
        ]),
      ),
    );

/** The pages that show a rollout, all open and live; an incident is opened at each step. */
export class Drill {
  private constructor(
    private readonly api: Api,
    private readonly rollout: Rollout,
    private readonly group: Page,
    private readonly others: Record<'channel' | 'machine' | 'fleet' | 'activity' | 'incident', Page>,
  ) {}

  /** Opens the pages next to that of the group. */
  static async open(api: Api, rollout: Rollout, group: Page, machineId: string): Promise<Drill> {
    const open = async (path: string) => {
      const page = await group.context().newPage();
      await page.goto(path);
      return page;
    };
    const { applicationId, channelId } = rollout;
    return new Drill(api, rollout, group, {
      channel: await open(`/apps/${applicationId}/channels/${channelId}`),
      machine: await open(`/apps/${applicationId}/machines/${machineId}`),
      fleet: await open('/'),
      activity: await open(`/activity?application=${applicationId}`),
      incident: await group.context().newPage(),
    });
  }

  /** Checks that all pages agree while no machine is in flight. */
  async check(step: Step) {
    const now = await situation(this.api, this.rollout.groupId);
    const { numbers } = now;
    const parts = ['onTarget', 'badVersion', 'inFlight', 'waiting', 'failed', 'quarantined'] as const;
    const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0);
    expect(sum(parts.map((part) => numbers[part]))).toBe(numbers.active);
    expect(sum(numbers.byVersion.map(({ machines }) => machines))).toBe(numbers.active);

    await this.checkGroup(step, now);
    await this.checkChannel(step, now);
    await this.checkFleet(step, now);
    const { machine, activity } = this.others;
    for (const sentence of step.machine) await expect(machine.getByRole('main')).toContainText(sentence);
    const lines = activity.getByRole('list', { name: 'Activity, newest first' }).getByRole('listitem');
    for (const [i, entry] of step.activity.entries()) await expect(lines.nth(i)).toContainText(entry);
    await this.checkIncident(step, now);
  }

  /** Checks the pages while machines go to a version: each machine counts once. */
  async checkMoving(target: string, machines: number) {
    const now = await figures(this.group);
    const parts = ['on a bad version', 'on target', 'in flight', 'waiting', 'failed', 'quarantined'];
    expect(parts.reduce((sum, part) => sum + (now[part] ?? 0), 0)).toBe(machines);
    await expect(this.group.locator('.move .to')).toHaveText(target);
    await expect(this.others.channel.getByText(`Package ${target}`)).toBeVisible();
    await expect(card(this.others.machine, 'History')).toContainText(`Granted ${target}`);
    await expect(this.others.activity.getByRole('main')).toContainText(`the rollout of ${target} started`);
  }

  private async checkGroup({ state: label, target }: Step, { numbers, rollout }: Situation) {
    const page = this.group;
    await expect(state(page)).toHaveText(label);
    await expect(page.locator('.move .to')).toHaveText(target);
    const { failed, finished } = rollout.attempts;
    const halted = label === 'Halted';
    await expect
      .poll(() => figures(page))
      .toMatchObject({
        ...(halted ? {} : { 'on target': numbers.onTarget }),
        ...(numbers.badVersion > 0 ? { 'on a bad version': numbers.badVersion } : {}),
        'in flight': 0,
        waiting: numbers.waiting,
        failed: numbers.failed,
        quarantined: numbers.quarantined,
        silent: 0,
      });
    const main = page.getByRole('main');
    await expect(main.getByText(`${failed} of ${finished} attempts · halts at 20 %`)).toBeVisible();
    await expect(card(page, 'Attempts')).toContainText(new RegExp(`Granted\\s*${finished}`));
    await expect(card(page, 'Attempts')).toContainText(new RegExp(`Complete\\s*${finished - failed}`));
    await expect(card(page, 'Failures')).toContainText(
      failed > 0
        ? `${failed} failed of ${finished} finished attempts, ${share(failed, finished)}.`
        : 'No failed attempts.',
    );
    await expect(card(page, 'Hold reasons')).toContainText(
      numbers.waiting > 0 ? new RegExp(`${numbers.waiting}`) : 'No machines are held.',
    );
    await expect(card(page, 'Machines by state')).toContainText(
      `${numbers.active} active machines: ${share(numbers.onTarget, numbers.active)} on the target`,
    );
  }

  private async checkChannel({ state: label, target }: Step, { numbers }: Situation) {
    const main = this.others.channel.getByRole('main');
    await expect(main).toContainText(new RegExp(`Package\\s+${target.replaceAll('.', '\\.')}\\s+· promoted`));
    await expect(main.getByRole('listitem').filter({ hasText: this.rollout.name })).toHaveText(
      new RegExp(
        `${numbers.total} machines, ${share(numbers.onTarget, numbers.active)} on target\\s*${label}`,
      ),
    );
  }

  private async checkFleet({ state: label, attention }: Step, { numbers }: Situation) {
    const page = this.others.fleet;
    const row = page.getByRole('article').getByRole('link', { name: this.rollout.name });
    await expect(row).toHaveText(
      new RegExp(`${label}\\s*${share(numbers.onTarget, numbers.active)} of ${numbers.active} machines`),
    );
    // The second group is paused and without a failure.
    await expect
      .poll(() => figures(page))
      .toMatchObject({
        ...(numbers.badVersion > 0 ? { 'on a bad version': numbers.badVersion } : {}),
        updating: numbers.inFlight,
        failed: numbers.failed,
        quarantined: numbers.quarantined,
      });
    const list = card(page, 'Needs attention');
    for (const sentence of attention) await expect(list).toContainText(sentence);
    if (label !== 'Halted') await expect(list).not.toContainText('halted');
  }

  private async checkIncident({ incident }: Step, { rollout }: Situation) {
    const page = this.others.incident;
    await page.goto(`${this.rollout.path}/incident?rollout=${rollout.id}&at=${new Date().toISOString()}`);
    const then = card(page, 'At that time');
    await expect(then).toContainText(incident);
    const { finished, failed } = rollout.attempts;
    await expect(card(page, 'Now')).toContainText(`${finished} attempts finished, ${failed} failed`);
    const kinds = [...(await text(then.getByRole('definition').last())).matchAll(/(\d+) × /g)];
    expect(kinds.reduce((sum, [, attempts]) => sum + Number(attempts), 0)).toBe(failed);
  }
}
