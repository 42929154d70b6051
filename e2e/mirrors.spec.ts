import type { Browser, Page } from '@playwright/test';
import { card } from './support/scenarios.ts';
import { colorRules, expect, test, violations } from './support/test.ts';
import { Upstream } from './support/upstream.ts';

// Alone, because the page shows the mirrors of all applications.
test.use({ deployment: 'a server alone', actionTimeout: 20_000 });

const main = (page: Page) => page.getByRole('main');
const dialog = (page: Page) => page.getByRole('dialog');
const row = (page: Page, channel: string) =>
  card(page, 'Headquarters').getByRole('row').filter({ hasText: channel }).first();
const badge = (page: Page) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Mirrors/ });

/** Checks the page on a desk in both themes and on a phone. */
async function accessible(page: Page, name: string) {
  for (const [width, themes] of [
    [1440, ['light', 'dark']],
    [390, ['light']],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond, `${name} at ${width} px: horizontal scroll`).toBeLessThanOrEqual(0);
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      const rules = theme === 'dark' ? colorRules : undefined;
      expect(await violations(page, rules), `${name} at ${width} px, ${theme}: axe`).toEqual([]);
      if (!process.env['SCREENS']) continue;
      await page.screenshot({
        path: `../build/screens/mirrors-${name}-${theme}-${width}.png`,
        fullPage: true,
      });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
}

async function choose(page: Page, field: string, option: string | RegExp) {
  await dialog(page).getByRole('combobox', { name: field }).click();
  await page.getByRole('option', { name: option }).click();
}

/** Opens the page as a user with a role. */
async function visitor(browser: Browser, baseURL: string, username: string, password: string) {
  const page = await (await browser.newContext({ baseURL })).newPage();
  await page.request.post('/graphql', {
    data: {
      query: `mutation { signIn(input: { username: "${username}", password: "${password}" }) { user { id } } }`,
    },
  });
  await page.goto('/mirrors');
  return page;
}

test('a mirror is added, imports, fails, heals, and is removed', async ({
  dashboard: page,
  server,
  api,
  browser,
}) => {
  test.setTimeout(90_000);
  const rollout = await api.rollout();
  const { applicationId } = rollout;
  await api.ask(
    `mutation ($id: ID!) { createChannel(input: { applicationId: $id, name: "beta", color: "#f59e0b" }) { channel { id } } }`,
    { id: applicationId },
  );
  const upstream = await Upstream.start();
  upstream.version = '2.1.0';

  await test.step('the public Flatcar server is not asked before it is chosen', async () => {
    await page.goto('/settings');
    const choice = main(page).getByRole('switch', { name: 'Mirror the public Flatcar server' });
    await expect(choice).not.toBeChecked();
    await expect(card(page, 'Flatcar updates')).toContainText('It needs access to the internet');
    expect(await violations(page)).toEqual([]);
  });

  await test.step('without a mirror the page says what one does', async () => {
    await page.goto('/mirrors');
    await expect(card(page, 'No mirror yet')).toContainText('asks another update server');
    await accessible(page, 'none');
  });

  await test.step('the public Flatcar server is a preset', async () => {
    await main(page).getByRole('button', { name: 'Add mirror' }).click();
    for (const name of ['stable', 'beta', 'alpha', 'amd64', 'arm64'])
      await expect(dialog(page).getByRole('checkbox', { name })).toBeChecked();
    for (const name of ['amd64', 'arm64']) await dialog(page).getByRole('checkbox', { name }).uncheck();
    await dialog(page).getByRole('button', { name: 'Add mirror' }).click();
    await expect(dialog(page)).toContainText('Choose at least one architecture.');
    await accessible(page, 'add');
  });

  await test.step('another server is added by its address, and shows the URL of the files', async () => {
    await dialog(page).getByRole('radio', { name: 'Another server' }).check();
    await dialog(page).getByRole('button', { name: 'Add mirror' }).click();
    await expect(dialog(page)).toContainText('Choose the application');
    await choose(page, 'Application', /Edge agent/);
    await dialog(page).getByLabel('Name').fill('Headquarters');
    await dialog(page).getByLabel('URL', { exact: true }).fill('not an address');
    await choose(page, 'Machines fetch files from', /your own/);
    await dialog(page).getByLabel('URL of the files').fill('https://files.example.com/{{ARCH}}/{{VERSION}}');
    await expect(dialog(page)).toContainText('https://files.example.com/amd64/4459.2.1/');
    await dialog(page).getByRole('button', { name: 'Add mirror' }).click();
    await expect(dialog(page)).toContainText('Must be an absolute http or https URL');
    await dialog(page).getByLabel('URL', { exact: true }).fill(upstream.url);
    await dialog(page).getByRole('button', { name: 'Add mirror' }).click();
    await expect(dialog(page)).toBeHidden();
    await expect(card(page, 'Headquarters')).toContainText('machines fetch from files.example.com');
  });

  await test.step('a channel imports, and a person promotes', async () => {
    await card(page, 'Headquarters').getByRole('button', { name: 'Add channel' }).click();
    await choose(page, 'Channel here', 'stable, amd64');
    await dialog(page).getByRole('button', { name: 'Add channel' }).click();
    await expect(row(page, 'stable')).toContainText('Imported');
    await expect(card(page, 'Runs that changed something or failed')).toContainText('Imported 2.1.0');
    await row(page, 'stable').getByRole('button', { name: 'Promote stable, amd64' }).click();
    await dialog(page).getByLabel('Reason').fill('tested in the laboratory');
    await dialog(page).getByRole('button', { name: 'Promote' }).click();
    await expect(row(page, 'stable')).toContainText('Up to date');
    await expect(row(page, 'stable')).toContainText('promoted by admin');
  });

  await test.step('a second channel follows by itself', async () => {
    await page.getByRole('button', { name: 'More actions of Headquarters' }).click();
    await page.getByRole('menuitem', { name: 'Add channel…' }).click();
    await choose(page, 'Channel here', 'beta, amd64');
    await dialog(page).getByLabel('Track of the upstream').fill('next');
    await choose(page, 'New versions', /^Import and promote/);
    await dialog(page).getByRole('button', { name: 'Add channel' }).click();
    await expect(row(page, 'beta')).toContainText(/from track next.*Up to date/);
    await expect(main(page).locator('.figure').first()).toContainText(/2\/ 2 channels up to date/);
    await expect(badge(page)).toHaveText('Mirrors');
  });

  await test.step('it fails: the rows say why, and the fleet page links here', async () => {
    upstream.version = null;
    await page.getByRole('button', { name: 'Run all now' }).click();
    await expect(row(page, 'stable')).toContainText('Failing');
    const hq = card(page, 'Headquarters');
    await expect(hq).toContainText('The upstream answered "503 Service Unavailable"');
    await expect(hq).toContainText('the channel stays on 2.1.0.');
    await expect(row(page, 'beta')).toContainText('Failing');
    await expect(badge(page)).toContainText('2 need attention');
    await accessible(page, 'failing');
    await page.goto('/');
    await card(page, 'Needs attention').getByRole('link', { name: 'View mirrors' }).first().click();
    await expect(main(page).getByRole('heading', { level: 1 })).toHaveText('Mirrors');
  });

  await test.step('it heals, and the log of each run stays', async () => {
    upstream.version = '2.2.0';
    await card(page, 'Headquarters').getByRole('button', { name: 'Run now' }).first().click();
    await expect(row(page, 'beta')).toContainText('Up to date');
    await expect(row(page, 'stable')).toContainText('Imported');
    await expect(badge(page)).toHaveText('Mirrors');
    await accessible(page, 'healed');
    await main(page).getByRole('link', { name: 'All runs' }).click();
    await card(page, 'All runs')
      .getByRole('listitem')
      .filter({ hasText: '503' })
      .first()
      .getByRole('button')
      .click();
    await expect(dialog(page)).toContainText('The upstream answered');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Actions of beta, amd64' }).click();
    await page.getByRole('menuitem', { name: 'Runs of this channel' }).click();
    await expect(card(page, 'Runs of beta, amd64')).toContainText('Promoted 2.2.0');
  });

  await test.step('a viewer sees why the actions are disabled', async () => {
    const password = 'correct horse battery';
    await api.change('createUser', { username: 'eve', password, role: 'VIEWER' });
    const eve = await visitor(browser, server.url, 'eve', password);
    const add = eve.getByRole('button', { name: 'Add mirror' });
    await expect(add).toBeDisabled();
    await expect(add).toHaveAttribute('title', 'Needs the role admin; you are viewer.');
    await expect(eve.getByRole('button', { name: 'Promote stable, amd64' })).toBeDisabled();
    await expect(eve.getByRole('button', { name: 'Run all now' })).toBeDisabled();
    await eve.context().close();
  });

  await test.step('it is switched off, and removed', async () => {
    await card(page, 'Headquarters').getByRole('button', { name: 'Edit', exact: true }).click();
    await dialog(page).getByRole('switch', { name: 'Ask this upstream' }).click();
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await expect(row(page, 'stable')).toContainText('Off');
    await page.getByRole('button', { name: 'More actions of Headquarters' }).click();
    await page.getByRole('menuitem', { name: 'Remove mirror…' }).click();
    await dialog(page).getByRole('button', { name: 'Remove mirror' }).click();
    await expect(card(page, 'No mirror yet')).toBeVisible();
  });
  await upstream.stop();
});
