import type { Page } from '@playwright/test';
import { fileURLToPath } from 'node:url';
import { Api } from '../support/api.ts';
import { expect, test } from '../support/test.ts';

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));

interface Demo {
  applications: {
    id: string;
    name: string;
    channels: { id: string; name: string }[];
    groups: {
      id: string;
      name: string;
      rollout: { version: string; currentWave: number; state: string } | null;
    }[];
    packages: { nodes: { id: string; version: string }[] };
  }[];
}

test('screenshots of the demo fleet', async ({ dashboard: page, server }) => {
  const api = new Api(server.url, await changePassword(page));
  await api.ask('mutation { startDemo { demo { running } userErrors { message } } }');
  const read = async () => {
    const { applications } = await api.ask<Demo>(`{ applications { id name channels { id name }
      groups { id name rollout { version currentWave state } } packages { nodes { id version } } } }`);
    const app = applications.find(({ name }) => name === 'Harbor OS');
    const group = (wanted: string) => app?.groups.find(({ name }) => name === wanted);
    return { app, group };
  };
  // In the third wave the group page shows every element.
  await expect
    .poll(async () => (await read()).group('production')?.rollout?.currentWave, { timeout: 300_000 })
    .toBe(3);
  await page.waitForTimeout(8000);
  const { app, group } = await read();
  if (!app) throw new Error('no demo application');
  const production = `/apps/${app.id}/groups/${group('production')?.id}`;

  await shoot(page, 'group', production, { both: true, full: true });
  await page.setViewportSize({ width: 360, height: 780 });
  await shoot(page, 'group-phone', production);
  await page.setViewportSize({ width: 1280, height: 900 });
  await shoot(page, 'fleet', '/', { both: true });
  await shoot(page, 'application', `/apps/${app.id}`);
  await shoot(page, 'machines', `/apps/${app.id}/machines?show=waiting`);
  await page.goto(`/apps/${app.id}/machines?show=waiting`);
  await page.locator('main a[href*="/machines/"]:not([href$="/jobs"])').first().click();
  await shoot(page, 'machine');
  await shoot(page, 'policy', `${production}/policy`);
  await shoot(page, 'package', `/apps/${app.id}/packages/new`, { full: true });
  await shoot(page, 'channel', `/apps/${app.id}/channels/${app.channels[0]?.id}`);
  await shoot(page, 'activity', '/activity');
  await shoot(page, 'settings', '/settings');
  await shoot(page, 'connect', '/connect');

  // The faulty package, halted by a rule.
  await expect
    .poll(async () => (await read()).group('canary')?.rollout?.state, { timeout: 300_000 })
    .toBe('HALTED');
  await shoot(page, 'halted', `/apps/${app.id}/groups/${group('canary')?.id}`);
});

/** Otherwise every screenshot would show the warning about the initial password. */
async function changePassword(page: Page): Promise<string> {
  const password = 'password of the demo';
  await page.goto('/account/password');
  await page.getByLabel('Current password').fill('admin');
  await page.getByLabel('New password', { exact: true }).fill(password);
  await page.getByLabel('Repeat new password').fill(password);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Password changed.', { exact: false })).toBeVisible();
  return password;
}

/** Takes a screenshot of the current page or of an address once it has settled. */
async function shoot(page: Page, name: string, path?: string, how: { both?: boolean; full?: boolean } = {}) {
  for (const theme of how.both ? (['light', 'dark'] as const) : (['light'] as const)) {
    await page.emulateMedia({ colorScheme: theme });
    if (path) await page.goto(path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(2500); // until charts and lists have loaded
    const suffix = how.both ? `-${theme}` : '';
    await page.screenshot({ path: `${folder}${name}${suffix}.png`, fullPage: how.full ?? false });
  }
}
