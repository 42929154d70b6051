import type { Browser, Page } from '@playwright/test';
import { card, state } from './support/scenarios.ts';
import { colorRules, expect, test, violations } from './support/test.ts';

// Alone, because at first no second person may approve, and the numbers are those of this test.
test.use({ deployment: 'a server alone' });

const password = 'correct horse';

/** Opens a page that is signed in as a user. */
async function signedIn(browser: Browser, baseURL: string, username: string): Promise<Page> {
  const page = await (await browser.newContext({ baseURL })).newPage();
  await page.goto('/');
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
  return page;
}

/** Checks a page in both themes, on a desk and on a phone. */
async function accessible(page: Page, name: string) {
  for (const width of [1440, 360]) {
    await page.setViewportSize({ width, height: 900 });
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond, `${name} at ${width} px: horizontal scroll`).toBeLessThanOrEqual(0);
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      const rules = theme === 'dark' ? colorRules : undefined;
      expect(await violations(page, rules), `${name} at ${width} px, ${theme}: axe`).toEqual([]);
      if (!process.env['SCREENS']) continue;
      const path = `../build/screens/approvals-${name}-${theme}-${width}.png`;
      await page.screenshot({ path, fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

const badge = (page: Page) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Approvals/ });
const main = (page: Page) => page.getByRole('main');
const dialog = (page: Page) => page.getByRole('dialog');
const pill = (page: Page) => main(page).getByRole('status').first();

/** Proposes a promotion on the page of the channel. */
async function proposePromotion(page: Page, channelPath: string, version: string, reason: string) {
  await page.goto(channelPath);
  await page.getByRole('button', { name: 'Propose promotion…' }).click();
  await dialog(page).getByRole('combobox').click();
  await page.getByRole('option', { name: new RegExp(`^${version}`) }).click();
  await expect(dialog(page)).toContainText('Another person must approve this. Nothing changes before.');
  await dialog(page).getByRole('button', { name: 'Propose' }).click();
  await expect(dialog(page)).toContainText('Enter a reason.');
  await dialog(page).getByLabel('Reason').fill(reason);
  await dialog(page).getByRole('button', { name: 'Propose' }).click();
  await expect(dialog(page)).toBeHidden();
  await page.getByRole('link', { name: 'View the proposal' }).click();
  await expect(main(page).getByRole('heading', { level: 1 })).toHaveText(
    `Promote ${version} to channel stable`,
  );
}

test('a promotion is proposed, approved by another person, and followed by the group', async ({
  server,
  api,
  browser,
  dashboard: admin,
}) => {
  test.slow(); // three people and axe on five pages
  const rollout = await api.rollout();
  const { applicationId, channelId } = rollout;
  const channelPath = `/apps/${applicationId}/channels/${channelId}`;
  for (const version of ['2.1.0', '2.2.0']) await api.addPackage(applicationId, version);

  await test.step('no approvals yet: the page says how to require them', async () => {
    await admin.goto('/approvals');
    await expect(main(admin)).toContainText('No change waits for an approval.');
    await expect(main(admin)).toContainText('switch on “Require approval”');
    await accessible(admin, 'none');
  });

  await test.step('an admin requires approvals, once there is a second publisher', async () => {
    await admin.goto(rollout.path);
    await main(admin).getByRole('button', { name: 'Edit', exact: true }).click();
    await dialog(admin).getByRole('switch', { name: 'Require approval' }).click();
    await dialog(admin).getByRole('button', { name: 'Save' }).click();
    await expect(dialog(admin).getByRole('alert')).toContainText('At least two users must have the role');
    for (const username of ['ann', 'ben'])
      await api.change('createUser', { username, password, role: 'PUBLISHER' });
    await dialog(admin).getByRole('button', { name: 'Save' }).click();
    await expect(dialog(admin)).toBeHidden();
  });

  const ann = await signedIn(browser, server.url, 'ann');
  const ben = await signedIn(browser, server.url, 'ben');
  await expect(badge(ben)).toHaveText('Approvals');

  await test.step('ann proposes, and cannot approve it herself', async () => {
    await proposePromotion(ann, channelPath, '2.1.0', 'driver fix');
    const approve = ann.getByRole('button', { name: 'Approve…' });
    await expect(approve).toBeDisabled();
    await expect(approve).toHaveAttribute('title', 'You proposed it: another person must decide.');
    await expect(ann.getByRole('button', { name: 'Withdraw…' })).toBeEnabled();
    await ann.goto(rollout.path);
    await main(ann).getByRole('button', { name: 'Edit', exact: true }).click();
    await expect(dialog(ann).getByRole('switch', { name: 'Require approval' })).toBeDisabled();
    await expect(dialog(ann)).toContainText('Needs the role admin');
    await ann.keyboard.press('Escape');
  });

  await test.step('ben sees it live, on the fleet, the group and the channel', async () => {
    await expect(badge(ben)).toHaveText(/Approvals\s*1/);
    await expect(card(ben, 'Needs attention')).toContainText(
      /Ann proposed to promote 2\.1\.0 to channel stable, expires at/,
    );
    for (const path of [rollout.path, channelPath]) {
      await ben.goto(path);
      await expect(
        main(ben).getByText('ann proposed to promote 2.1.0 to channel stable', { exact: false }),
      ).toBeVisible();
      await accessible(ben, path === channelPath ? 'channel' : 'group');
    }
  });

  await test.step('ben reads what happens and approves', async () => {
    await badge(ben).click();
    await accessible(ben, 'list');
    await main(ben).getByRole('link', { name: 'Promote 2.1.0 to channel stable' }).click();
    await expect(pill(ben)).toHaveText('Waits for a second person');
    await expect(main(ben)).toContainText(/ann proposed it at .*\sanother\s+publisher\s+of Edge agent/s);
    await expect(card(ben, 'What changes').getByRole('row').last()).toHaveText(
      /Package of channel stable, amd64\s*2\.0\.0\s*2\.1\.0/,
    );
    await expect(card(ben, 'Reach')).toContainText('become eligible');
    await expect(card(ben, 'Reason')).toContainText('“driver fix”');
    await accessible(ben, 'open');
    await ben.getByRole('button', { name: 'Approve…' }).click();
    await expect(dialog(ben)).toHaveAccessibleName('Approve: Promote 2.1.0 to channel stable?');
    await accessible(ben, 'approve');
    await dialog(ben).getByRole('button', { name: 'Approve' }).click();
    await expect(pill(ben)).toHaveText('Approved');
    await expect(badge(ben)).toHaveText('Approvals');
    await expect(card(ben, 'Steps')).toContainText(/Approved\s*ben/);
    await accessible(ben, 'approved');
  });

  await test.step('the group follows, live on the page of ann', async () => {
    await expect(state(ann)).toHaveText(/Up to date|Rolling out/);
    await expect(main(ann).locator('.move')).toContainText('2.1.0');
    await expect(main(ann).getByText('ann proposed to promote')).toHaveCount(0);
  });

  await test.step('a refusal needs a reason, and ends it without a change', async () => {
    await proposePromotion(ann, channelPath, '2.2.0', 'newer');
    await badge(ben).click();
    await main(ben).getByRole('link', { name: 'Promote 2.2.0 to channel stable' }).click();
    await ben.getByRole('button', { name: 'Refuse…' }).click();
    await dialog(ben).getByRole('button', { name: 'Refuse' }).click();
    await expect(dialog(ben)).toContainText('Enter a reason.');
    await dialog(ben).getByLabel('Reason').fill('not in December');
    await dialog(ben).getByRole('button', { name: 'Refuse' }).click();
    await expect(pill(ann)).toHaveText('Refused');
    await expect(card(ann, 'Steps')).toContainText('ben: “not in December”');
    await ann.goto(channelPath);
    await expect(main(ann).getByText(/Package 2\.1\.0/)).toBeVisible();
  });

  await test.step('one’s own proposal can be withdrawn; what has changed cannot be approved', async () => {
    await proposePromotion(ann, channelPath, '2.2.0', 'again');
    await badge(ben).click();
    await main(ben).getByRole('link', { name: 'Promote 2.2.0 to channel stable' }).first().click();
    await expect(ben.getByRole('button', { name: 'Approve…' })).toBeEnabled();
    await api.change('rollBack', { channelId, toPackageId: rollout.packageId, reason: 'fails' });
    await expect(main(ben)).toContainText('What it concerns has changed since it was proposed', {
      timeout: 30_000, // the page reads that every 15 s
    });
    await expect(ben.getByRole('button', { name: 'Approve…' })).toBeDisabled();
    await ann.getByRole('button', { name: 'Withdraw…' }).click();
    await dialog(ann).getByRole('button', { name: 'Withdraw' }).click();
    await expect(pill(ann)).toHaveText('Withdrawn');
    await expect(pill(ben)).toHaveText('Withdrawn');
  });

  await test.step('the audit names each step', async () => {
    await admin.goto(`/audit?application=${applicationId}`);
    const entries = main(admin).getByRole('article');
    for (const text of [
      /ann\s+proposed to\s+promote 2\.1\.0 to channel stable/,
      /ben\s+approved the proposal to\s+promote 2\.1\.0 to channel stable/,
      /ben\s+refused the proposal to\s+promote 2\.2\.0 to channel stable/,
      /ann\s+withdrew the proposal to\s+promote 2\.2\.0 to channel stable/,
    ])
      await expect(entries.filter({ hasText: text }).first()).toBeVisible();
  });
  for (const page of [ann, ben]) await page.context().close();
});
