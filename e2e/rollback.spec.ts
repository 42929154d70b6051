import type { Page } from '@playwright/test';
import type { Api, Rollout } from './support/api.ts';
import { Drill, on, situation, text } from './support/drill.ts';
import { card, figure, state } from './support/scenarios.ts';
import { colorRules, expect, test, violations } from './support/test.ts';

/** Checks a step in both themes. */
async function accessible(page: Page, name: string) {
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const rules = theme === 'dark' ? colorRules : undefined;
    expect(await violations(page, rules), `${name}, ${theme}: axe`).toEqual([]);
  }
}

/** Saves screenshots of a step in both themes and at two sizes, with SCREENS=1. */
async function shoot(page: Page, name: string, fullPage = true) {
  if (!process.env['SCREENS']) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({
        path: `../build/screens/rollback-${name}-${colorScheme}-${width}.png`,
        fullPage,
      });
    }
  }
}

/** Waits until the group has a state and no machine in flight. */
const settled = (api: Api, groupId: string, state: string, grants: number) =>
  expect
    .poll(
      async () => {
        const now = await situation(api, groupId);
        const enough = now.rollout.attempts.finished >= grants;
        return now.numbers.inFlight === 0 && enough ? now.state : 'in flight';
      },
      { timeout: 60_000 },
    )
    .toBe(state);

/** Brings 2.1.0, of which many machines fail, to 30 of 240 machines, as many as the period allows. */
async function firstUpdates(
  api: Api,
  machines: (rollout: Rollout, flags: Record<string, string | number>) => void,
) {
  const rollout = await api.rollout({
    maxConcurrentUpdates: 60,
    maxUpdatesPerPeriod: 30,
    haltFailureShare: 0.2,
    haltMinAttempts: 40,
    maxAttempts: 1,
  });
  const { applicationId, channelId } = rollout;
  const branches = { ...rollout, name: 'branches', track: `${rollout.track}-b` };
  branches.groupId = await api.addGroup(
    { applicationId, channelId, name: branches.name, track: branches.track },
    { updatesEnabled: false },
  );
  machines(rollout, { machines: 240, versions: '2.0.0', bad: '2.1.0:0.4', connections: 8 });
  machines(branches, { machines: 24, versions: '2.0.0', seed: 2, connections: 2 });
  const known = async (group: Rollout) => (await api.numbers(group.groupId)).total;
  await expect.poll(() => known(rollout)).toBe(240);
  await expect.poll(() => known(branches)).toBe(24);
  const bad = await api.addPackage(applicationId, '2.1.0');
  await api.change('promotePackage', { channelId, packageId: bad, reason: 'the November release' });
  await settled(api, rollout.groupId, 'ROLLING_OUT', 30);
  return rollout;
}

/** A machine of the group that runs a version. */
const machineOn = async (api: Api, groupId: string, version: string) => {
  const { instances } = await api.ask<{ instances: { nodes: { id: string; version: string }[] } }>(
    'query ($groupId: ID!) { instances(filter: { groupId: $groupId }, first: 240) { nodes { id version } } }',
    { groupId },
  );
  return instances.nodes.find((machine) => machine.version === version)?.id ?? '';
};

// Alone, because the numbers of the fleet page are those of this test.
test.use({ deployment: 'a server alone', viewport: { width: 1440, height: 900 } });

test('a bad version is rolled back, and all machines end on the good one', async ({
  dashboard: page,
  api,
  machines,
}) => {
  test.setTimeout(480_000); // it waits for 240 machines, beside other tests
  const rollout = await firstUpdates(api, machines);
  const { applicationId, channelId, groupId } = rollout;
  const channelPage = `/apps/${applicationId}/channels/${channelId}`;
  await page.goto(rollout.path);
  const drill = await Drill.open(api, rollout, page, await machineOn(api, groupId, '2.1.0'));

  await test.step('the rolling group waits for its period; all pages agree', async () => {
    await expect(page.getByText(/^Waiting: 30 of 30 updates of the period are used/)).toBeVisible();
    await drill.check({
      state: 'Rolling out',
      target: '2.1.0',
      machine: [/Up to date/, /Runs 2\.1\.0,\s+seen/, /30 of 30 updates of the period are used/],
      attention: [/\d+ machines are quarantined/],
      activity: [/(quarantined|failed).* at 2\.1\.0/],
      incident: /Rolling out, since/,
    });
  });

  await test.step('a larger period is saved; the page says when the rollout now ends', async () => {
    await page.getByRole('link', { name: 'Edit policy' }).click();
    await page.getByLabel('Machines per period').fill('1000');
    await page.getByLabel('Reason').fill('the fleet waits');
    await expect(page.getByText(/At this policy the rollout ends about .* \(was .*\)\./)).toBeVisible();
    await page.getByRole('button', { name: 'Save policy' }).click();
    const saved = page.getByRole('status').filter({ hasText: 'Policy saved.' });
    await expect(saved).toContainText(/At this policy the rollout ends about .* \(was .*\)\./);
    await saved.getByRole('button', { name: 'Close' }).click();
    await expect(saved).toBeHidden();
    await settled(api, groupId, 'HALTED', 40);
  });

  const now = await situation(api, groupId);
  const bad = on('2.1.0', now);
  const good = on('2.0.0', now);
  const { finished, failed } = now.rollout.attempts;
  expect(bad).toBeGreaterThan(0);
  expect(bad + good).toBe(240);
  expect(bad + failed).toBe(finished);
  const dialog = page.getByRole('dialog');

  await test.step('the halted group shows what happened and what is still true', async () => {
    await expect(state(page)).toHaveText('Halted');
    const counted = `${now.rollout.halt?.failed} of ${now.rollout.halt?.finished} finished attempts failed`;
    await drill.check({
      state: 'Halted',
      target: '2.1.0',
      machine: [/On a bad version/, /Runs 2\.1\.0,\s+seen/, new RegExp(counted)],
      attention: [new RegExp(`The rollout is halted: ${counted}`), /\d+ machines are quarantined/],
      activity: [/./],
      incident: new RegExp(`Halted, since .*The rollout is halted: ${counted}`),
    });
    const halt = page.getByRole('region', { name: /^2\.1\.0 halted/ });
    await expect(halt.getByRole('button', { name: 'Roll back to 2.0.0…' })).toBeVisible();
    const shown = await text(halt);
    expect(shown).toMatch(
      new RegExp(`^2\\.1\\.0 halted at \\d\\d:\\d\\d: ${failed} of ${finished} finished attempts failed`),
    );
    let kinds = 0;
    for (const { outcome, code, attempts } of now.rollout.failures) {
      const link = halt.locator(`a[href*="failure=${outcome}.${code}"]`);
      expect(await text(link)).toMatch(new RegExp(`^${attempts} × [a-z]`));
      kinds += attempts;
    }
    expect(kinds).toBe(failed);
    const then = now.rollout.halt;
    if (then && then.finished !== finished)
      expect(shown).toContain(`At the halt it was ${then.failed} of ${then.finished}.`);
    expect(shown).toContain('The limit is 20 %.');
    expect(shown).toContain('Nothing has been offered since then.');
    expect(shown).toContain(
      `${bad} machines still run 2.1.0. They check in, but nothing moves them back until you roll back.`,
    );
    expect(shown).toContain('Next at risk: branches, 24 machines, paused. It follows stable too.');
    expect(shown).toContain(
      `Points stable back to 2.0.0, blacklists 2.1.0, and asks what becomes of the ${bad} machines on it.`,
    );
    expect(shown).toContain(
      `Offers 2.1.0 again, within the caps. The ${failed} failures so far no longer count towards a halt.`,
    );
    await accessible(page, 'halted');
    await shoot(page, '1-halted');
    await halt.getByRole('link', { name: `${bad} machines still run 2.1.0` }).click();
    await expect(page.getByText(`${bad} machines`, { exact: true })).toBeVisible();
  });

  await test.step('the dialog proposes 2.0.0 and shows what becomes of every machine', async () => {
    await page.getByRole('button', { name: 'Roll back to 2.0.0…' }).click();
    await expect(dialog).toHaveAccessibleName(`Roll back ${rollout.name} to 2.0.0`);
    await expect(dialog.getByRole('combobox')).toHaveText(/^2\.0\.0 on stable \d\d:\d\d–\d\d:\d\d/);
    await expect(dialog.getByRole('group', { name: `The ${bad} machines on 2.1.0` })).toBeVisible();
    const row = (name: RegExp) => dialog.getByRole('row', { name });
    await expect(row(/run 2\.1\.0/)).toHaveText(/stay on 2\.1\.0 until a higher version comes/);
    const effect = dialog.getByRole('region', { name: 'What happens' });
    await expect(effect).toContainText(/^What happens\s*0\s*machines move\s*to 2\.0\.0/);
    await accessible(page, 'dialog');
    await shoot(page, '2-dialog', false);

    await dialog.getByRole('radio', { name: /Offer them 2\.0\.0/ }).check();
    await expect(row(/run 2\.1\.0/)).toHaveText(/are offered 2\.0\.0/);
    const shown = await text(effect);
    expect(shown).toMatch(
      new RegExp(
        `^What happens ${bad} machines move to 2\\.0\\.0 about .* projected end for the last machine`,
      ),
    );
    expect(shown).toContain('60 at once and 1,000 per 1 h at most, by the policy');
    expect(shown).toContain('branches also follows the channel: 24 machines, 0 on 2.1.0.');
    const numbers = await Promise.all(
      (await dialog.getByRole('row').all()).map((one) => one.locator('.number').innerText()),
    );
    const [total, ...rows] = numbers.map((number) => Number(number.replaceAll(',', '')));
    expect(total).toBe(240);
    expect(rows.reduce((sum, n) => sum + n, 0)).toBe(240);
    await expect(dialog.getByRole('button', { name: 'Roll back to 2.0.0' })).toBeDisabled();
  });

  await test.step('another change comes first: the dialog shows it and asks again', async () => {
    await dialog.getByLabel('Reason').fill('2.1.0 does not start');
    const other = await api.addPackage(applicationId, '1.9.0');
    await api.change('blacklistPackage', { channelId, packageId: other, reason: 'loses data' });
    await dialog.getByRole('button', { name: 'Roll back to 2.0.0' }).click();
    await expect(dialog.getByRole('alert')).toHaveText(
      'stable was changed first; nothing was rolled back. Now 1.9.0 is blacklisted. Look at the choices and confirm again.',
    );
    expect((await situation(api, groupId)).state).toBe('HALTED');
    await shoot(page, '3-conflict', false);
    await dialog.getByRole('button', { name: 'Roll back to 2.0.0' }).click();
    await expect(dialog).toBeHidden();
  });

  await test.step('the machines on 2.1.0 go to 2.0.0, and the group is up to date', async () => {
    await expect(page.getByRole('region', { name: /^2\.1\.0 halted/ })).toBeHidden();
    await drill.checkMoving('2.0.0', 240);
    await expect(state(page)).toHaveText('Up to date', { timeout: 60_000 });
    await expect(figure(page, 'on target')).toHaveText(/^240\s*on target\s*100 % of 240 active/);
    await expect(figure(page, 'in flight')).toHaveText(/^0/);
    await expect(figure(page, 'failed')).toHaveText(/^0/);
    await expect(page.getByText('Done: every active machine runs 2.0.0.')).toBeVisible();
    const after = await situation(api, groupId);
    expect([on('2.0.0', after), on('2.1.0', after)]).toEqual([240, 0]);
    expect(after.rollout.attempts).toMatchObject({ finished: bad, failed: 0 });
    await expect(card(page, 'Attempts')).toContainText(new RegExp(`Granted\\s*${bad}`));
    await drill.check({
      state: 'Up to date',
      target: '2.0.0',
      machine: [/Up to date/, /Runs 2\.0\.0,\s+seen/, /2\.1\.0 → 2\.0\.0\s*Updated/],
      attention: [/The user admin has not changed the first password/],
      activity: [
        /the rollout of 2\.0\.0 finished: 240 active machines at this version or higher/,
        /the rollout of 2\.0\.0 started; machines on the recalled 2\.1\.0 are downgraded to it/,
      ],
      incident: /Completed, since/,
    });
    await shoot(page, '4-done');

    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: /^Roll back…/ }).click();
    await expect(dialog).toHaveAccessibleName(`Roll back ${rollout.name}`);
    await expect(dialog).toContainText('No package below 2.0.0 that may be promoted.');
    await dialog.getByLabel('Reason').fill('further back');
    await expect(dialog.getByRole('button', { name: 'Roll back' })).toBeDisabled();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  });

  await test.step('the channel shows who, when and why, and what it pointed to before', async () => {
    await page.goto(channelPage);
    const history = card(page, 'What it pointed to').getByRole('listitem');
    await expect(history).toHaveCount(3);
    await expect(history.nth(0)).toHaveText(
      /^2\.0\.0 Roll back .* until now, by admin “2\.1\.0 does not start”/,
    );
    await expect(history.nth(1)).toHaveText(
      /^2\.1\.0 .* by admin “the November release”\s*Blacklisted for this channel/,
    );
    await expect(history.nth(2)).toHaveText(/^2\.0\.0 .* by admin\s*Already points to this package/);
    const blacklist = card(page, 'Blacklist').getByRole('listitem');
    await expect(blacklist.filter({ hasText: '2.1.0' })).toHaveText(
      /Machines on it are downgraded\. “2\.1\.0 does not start”/,
    );
    await expect(blacklist.filter({ hasText: '1.9.0' })).not.toContainText('downgraded');
    await accessible(page, 'channel');
    await shoot(page, '5-channel');

    await page.getByRole('button', { name: 'End downgrade… 2.1.0' }).click();
    await expect(dialog).toContainText(
      'Machines that still run 2.1.0 stay on it until a higher version comes.',
    );
    await dialog.getByLabel('Reason').fill('all are back');
    await dialog.getByRole('button', { name: 'End downgrade' }).click();
    await expect(dialog).toBeHidden();
    await expect(blacklist.filter({ hasText: '2.1.0' })).not.toContainText('downgraded');
    await expect(page.getByRole('button', { name: 'Downgrade… 2.1.0' })).toBeVisible();
  });

  await test.step('activity, audit and the page of a machine agree', async () => {
    await page.goto(`/activity?application=${applicationId}`);
    const main = page.getByRole('main');
    await expect(main).toContainText('admin rolled stable back to 2.0.0: “2.1.0 does not start”');
    await expect(main).toContainText(
      "admin blacklisted 2.1.0 for stable; machines that run it are downgraded to the channel's package: 2.1.0 does not start",
    );
    await page.goto(`/audit?application=${applicationId}`);
    await expect(main.getByRole('article').filter({ hasText: 'rolled back' })).toContainText(
      /admin rolled back\s+channel stable\s+to 2\.0\.0/,
    );
    const { instances } = await api.ask<{
      instances: { nodes: { id: string; attempts: { totalCount: number } }[] };
    }>(
      `query ($groupId: ID!) { instances(filter: { groupId: $groupId }, first: 240) { nodes { id attempts { totalCount } } } }`,
      { groupId },
    );
    const back = instances.nodes.filter(({ attempts }) => attempts.totalCount === 2);
    expect(back).toHaveLength(bad); // to 2.1.0 and back
    await page.goto(`/apps/${applicationId}/machines/${back[0]?.id}`);
    await expect(card(page, 'History')).toContainText('an ordered downgrade from the recalled 2.1.0');
    await shoot(page, '6-machine');
  });
});
