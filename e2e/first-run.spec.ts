import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Api } from './support/api.ts';
import { Server } from './support/server.ts';
import { expect, signIn, test as base, violations } from './support/test.ts';

const run = promisify(execFile);

// A separate server in its state after the first start.
const test = base.extend<{ fresh: Server }>({
  fresh: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.remove();
  },
  baseURL: async ({ fresh }, use) => use(fresh.url),
});

test('a new server warns about the initial password until it is changed', async ({ page }) => {
  await signIn(page);
  await expect(page.getByText(/You are using the initial password/)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Roll out your first update' })).toBeVisible();
  await page
    .getByRole('region', { name: 'Needs attention' })
    .getByRole('link', { name: 'Change password' })
    .click();
  await page.getByLabel('Current password').fill('admin');
  await page.getByLabel('New password', { exact: true }).fill('correct horse battery');
  await page.getByLabel('Repeat new password').fill('correct horse battery');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Password changed.', { exact: false })).toBeVisible();
  await page.keyboard.press('g');
  await page.keyboard.press('f');
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();
  await expect(page.getByText('You are using the initial password', { exact: false })).toBeHidden();
  await expect(page.getByRole('region', { name: 'Needs attention' })).toContainText(
    'Nothing needs attention.',
  );
});

test('the copied settings work, and the page shows the first check', async ({ page, fresh }) => {
  const rollout = await new Api(fresh.url).rollout();
  await signIn(page);
  await page.getByRole('link', { name: 'Connect the first machine' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Connect a machine' })).toBeVisible();

  await test.step('Flatcar', async () => {
    await page.goto('/connect?client=flatcar');
    await expect(page.getByRole('region', { name: '/etc/flatcar/update.conf' })).toHaveText(
      /SERVER=http:\/\/127\.0\.0\.1:\d+\/v1\/update\/\s+GROUP=\w+/,
    );
    await page.getByText('New machines: Butane and Ignition').click();
    await expect(page.getByRole('region', { name: 'Butane' })).toContainText('variant: flatcar');
    await expect(page.getByRole('region', { name: 'Ignition' })).toContainText('"version": "3.3.0"');
    const wide = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
    ).toBe(true);
    if (wide) await page.setViewportSize(wide);
    await page.getByText('HTTPS with your own certificate authority').click();
    await expect(page.getByRole('region', { name: 'Certificate authority' })).toContainText(
      'update-ca-certificates',
    );
    expect(await violations(page)).toEqual([]);
  });

  await test.step('your own program', async () => {
    await page.getByRole('combobox', { name: 'Application' }).click();
    await page.getByRole('option', { name: 'Flatcar Container Linux' }).click();
    await expect(page.getByText('Waiting for a machine of Stable', { exact: false })).toBeVisible();
    await page.getByRole('combobox', { name: 'Application' }).click();
    await page.getByRole('option', { name: /Edge agent/ }).click();
    await expect(page.getByText(`Waiting for a machine of ${rollout.name}`)).toBeVisible();
    const command = await page.getByRole('region', { name: 'Update check' }).innerText();
    const { stdout } = await run('sh', ['-c', command]);
    // The answer contains the version of the channel.
    expect(stdout).toContain('<manifest version="2.0.0">');
    await expect(page.getByText('Connected', { exact: true })).toBeVisible();
    const { stdout: host } = await run('hostname', []);
    await page.getByRole('link', { name: host.trim() }).click();
    await expect(page.getByRole('heading', { name: 'Next update check' })).toBeVisible();
  });

  await test.step('a known machine is listed, but does not count as new', async () => {
    await page.goto(`/connect?application=${rollout.applicationId}`);
    await expect(page.getByText('1 machine already in this group.', { exact: false })).toBeVisible();
    const command = await page.getByRole('region', { name: 'Update check' }).innerText();
    await expect(page.getByText('Waiting for a machine', { exact: false })).toBeVisible();
    await run('sh', ['-c', command]);
    const { stdout: host } = await run('hostname', []);
    await expect(page.getByText('Checked in, but not new:', { exact: false })).toContainText(host.trim());
    await expect(page.getByText('Connected', { exact: true })).toBeHidden();
    await run('sh', ['-c', command.replaceAll('$(hostname)', 'newcomer')]);
    await expect(page.getByText('Connected', { exact: true })).toBeVisible();
    await expect(page.getByRole('link', { name: 'newcomer' })).toBeVisible();
  });
});

test('the demo fleet starts with one click and can be removed', async ({ page }) => {
  await signIn(page);
  await page.getByRole('button', { name: 'Start demo fleet' }).click();
  await expect(page.getByRole('link', { name: /machines\s+seen within 24 h/ })).toBeVisible();

  await page.goto('/settings#demo');
  await page.getByRole('button', { name: 'Remove demo' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove demo' }).click();
  await expect(page.getByRole('button', { name: 'Start demo fleet' })).toBeVisible();
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Roll out your first update' })).toBeVisible();
});
