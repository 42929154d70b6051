import type { Page } from '@playwright/test';
import type { Api } from './api.ts';
import { expect, test, type Machines } from './test.ts';

/** Fixtures of a scenario, which runs on one server and on two. */
interface Scenario {
  dashboard: Page;
  api: Api;
  machines: Machines;
}

/** The state of the group. */
export const state = (page: Page) => page.getByRole('main').getByRole('status').first();
export const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
export const figure = (page: Page, word: string) =>
  page
    .getByRole('main')
    .getByRole('link', { name: new RegExp(`^[\\d,]+.*\\s${word}`) })
    .first();

/** Approves the second wave. */
export async function openWave2(page: Page, reason: string) {
  const open = page.getByRole('button', { name: 'Open wave 2' });
  await open.click({ timeout: 90_000 });
  const dialog = page.getByRole('dialog', { name: /Open wave 2/ });
  await expect(dialog).toContainText(/machines/);
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.getByRole('button', { name: 'Open wave 2' }).click();
  await expect(dialog).toBeHidden();
}

/** Follows a rollout from start to end without reload. */
export async function followRollout({ dashboard: page, api, machines }: Scenario) {
  const rollout = await api.rollout({
    maxConcurrentUpdates: 8,
    waves: [{ share: 0.3, minFinished: 3, approval: true }, { share: 1 }], // stays in the first wave until approval
  });
  await page.goto(rollout.path);
  await expect(page.getByText('Connect the first machine')).toBeVisible();
  await page.evaluate(() => Object.assign(window, { notReloaded: true }));

  machines(rollout, { machines: 40, versions: '1.0.0' });

  await expect(state(page)).toHaveText(/Rolling out · wave 1 of 2/);
  await expect(page.getByText('Connect the first machine')).toBeHidden();
  await expect(page.getByText(/^1\.0\.0\s*→\s*2\.0\.0/)).toBeVisible();
  await expect(page.getByText(/^Waiting:/)).toBeVisible();
  const waves = page.getByRole('list', { name: 'Waves' });
  await expect(waves.getByRole('listitem').filter({ hasText: '1 · 30 %' })).toBeVisible();

  await openWave2(page, 'the first wave looks well');
  await expect(state(page)).toHaveText(/wave 2 of 2/);
  await expect(state(page)).toHaveText(/Up to date/, { timeout: 90_000 });
  await expect(page.getByText('Done: every active machine runs 2.0.0.')).toBeVisible();
  await expect(figure(page, 'on target')).toHaveText(/^40/);
  await expect(card(page, 'Attempts')).toContainText(/Granted\s*40/);
  await expect(card(page, 'Activity')).toContainText('finished');
  expect(await page.evaluate(() => 'notReloaded' in window)).toBe(true);
}

/** A faulty package halts the rollout; the page shows rule, numbers and machines. */
export async function followHalt({ dashboard: page, api, machines }: Scenario) {
  const rollout = await api.rollout({ haltFailureShare: 0.3, haltMinAttempts: 4, maxAttempts: 1 });
  machines(rollout, { machines: 25, versions: '1.0.0:15,1.1.0:10', bad: '2.0.0:1' });
  await page.goto(rollout.path);
  await expect(state(page)).toHaveText(/Halted/, { timeout: 90_000 });
  const halt = page.getByRole('region', { name: /^2\.0\.0 halted .*: \d+ of \d+ finished attempts failed$/ });
  await expect(halt).toContainText('The limit is 30 %. Nothing has been offered since then.');
  const failing = halt.getByText('Failed machines:').getByRole('link');
  expect(await failing.count()).toBeGreaterThan(1);

  await test.step('a failure opens its attempts', async () => {
    const failures = card(page, 'Failures');
    const first = failures.getByRole('link', { name: /code \d+|Rolled back/ }).first();
    const counted = Number((await first.innerText()).split('\n').at(-1));
    await first.click();
    await expect(page).toHaveURL(/failure=[A-Z_]+\.\d+/);
    const list = page.getByRole('region', { name: 'Failed attempts', exact: true });
    await expect(list.getByRole('row')).toHaveCount(counted + 1);

    await failures.getByRole('link', { name: 'Version' }).click();
    const origin = failures.getByRole('link', { name: /^1\.[01]\.0/ }).first();
    const from = (await origin.innerText()).includes('1.1.0') ? '1.1.0' : '1.0.0';
    const other = from === '1.1.0' ? '1.0.0' : '1.1.0';
    await origin.click();
    await expect(page).toHaveURL(new RegExp(`failure=from\\.${from}`));
    await expect(list.getByRole('cell', { name: from }).first()).toBeVisible();
    await expect(list.getByRole('cell', { name: other })).toHaveCount(0);

    await page.reload();
    await expect(list.getByRole('cell', { name: from }).first()).toBeVisible();
    await list.getByRole('link').first().click();
    await expect(page).toHaveURL(/\/machines\//);
    await page.goBack();
    await page.getByRole('link', { name: 'Show machines' }).click();
    await expect(list).toBeHidden();
  });

  await test.step('a failed machine opens by its link', async () => {
    await failing.first().click();
    await expect(page).toHaveURL(/search=/);
    await expect(page.getByText('1 machine', { exact: true })).toBeVisible();
  });
}
