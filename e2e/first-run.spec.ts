import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Api } from './support/api.ts';
import { Server } from './support/server.ts';
import { expect, signIn, test as base } from './support/test.ts';

const run = promisify(execFile);

// A server of its own, as it is after the first start.
const test = base.extend<{ fresh: Server }>({
  fresh: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.remove();
  },
  baseURL: async ({ fresh }, use) => use(fresh.url),
});

test('a new server warns of its password until it is changed', async ({ page }) => {
  await signIn(page);
  await expect(page.getByText('You signed in with a password that somebody else knows.')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Roll out your first update' })).toBeVisible();
  await page
    .getByRole('region', { name: 'Needs attention' })
    .getByRole('link', { name: 'Change it' })
    .click();
  await page.getByLabel('Present password').fill('admin');
  await page.getByLabel('New password', { exact: true }).fill('correct horse battery');
  await page.getByLabel('New password again').fill('correct horse battery');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password is changed.', { exact: false })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();
  await expect(page.getByText('You signed in with a password', { exact: false })).toBeHidden();
  await expect(page.getByRole('region', { name: 'Needs attention' })).toContainText('Nothing does.');
});

test('the settings to copy work, and the listener turns green when the machine asks', async ({
  page,
  fresh,
}) => {
  const rollout = await new Api(fresh.url).rollout();
  await signIn(page);
  await page.getByRole('link', { name: 'Connect the first machine' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Connect a machine' })).toBeVisible();

  await test.step('Flatcar', async () => {
    await page.goto('/connect?client=flatcar');
    await expect(page.getByRole('region', { name: '/etc/flatcar/update.conf' })).toHaveText(
      /SERVER=http:\/\/127\.0\.0\.1:\d+\/v1\/update\/\s+GROUP=\w+/,
    );
  });

  await test.step('a program of one’s own', async () => {
    await page.getByRole('combobox', { name: 'Application' }).click();
    await page.getByRole('option', { name: 'Flatcar Container Linux' }).click();
    await expect(page.getByText('Listening for a machine of Stable', { exact: false })).toBeVisible();
    await page.getByRole('combobox', { name: 'Application' }).click();
    await page.getByRole('option', { name: /Edge agent/ }).click();
    await expect(page.getByText(`Listening for a machine of ${rollout.name}`)).toBeVisible();
    const command = await page.getByRole('region', { name: 'Update check' }).innerText();
    const { stdout } = await run('sh', ['-c', command]);
    // The very answer a machine gets: the version the channel points to.
    expect(stdout).toContain('<manifest version="2.0.0">');
    await expect(page.getByText('Connected', { exact: true })).toBeVisible();
    const { stdout: host } = await run('hostname', []);
    await page.getByRole('link', { name: host.trim() }).click();
    await expect(page.getByRole('heading', { name: 'Would it update now?' })).toBeVisible();
  });

  await test.step('a machine that was there before is named, and is no success', async () => {
    await page.goto(`/connect?application=${rollout.applicationId}`);
    await expect(page.getByText('1 machine asked before.', { exact: false })).toBeVisible();
    const command = await page.getByRole('region', { name: 'Update check' }).innerText();
    await expect(page.getByText('Listening for a machine', { exact: false })).toBeVisible();
    await run('sh', ['-c', command]);
    const { stdout: host } = await run('hostname', []);
    await expect(page.getByText('Also asking, but not new:', { exact: false })).toContainText(host.trim());
    await expect(page.getByText('Connected', { exact: true })).toBeHidden();
    await run('sh', ['-c', command.replaceAll('$(hostname)', 'newcomer')]);
    await expect(page.getByText('Connected', { exact: true })).toBeVisible();
    await expect(page.getByRole('link', { name: 'newcomer' })).toBeVisible();
  });
});

test('the demo fleet starts with one click and can be removed', async ({ page }) => {
  await signIn(page);
  await page.getByRole('button', { name: 'Start the demo fleet' }).click();
  await expect(page.getByRole('link', { name: /machines\s+seen within 24 h/ })).toBeVisible();

  await page.goto('/settings#demo');
  await page.getByRole('button', { name: 'Stop and remove the demo' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove the demo' }).click();
  await expect(page.getByRole('button', { name: 'Start the demo fleet' })).toBeVisible();
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Roll out your first update' })).toBeVisible();
});
