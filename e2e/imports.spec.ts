import type { Page } from '@playwright/test';
import { app, fillNebraska, group } from './support/nebraska.ts';
import { newDatabase } from './support/postgres.ts';
import { card } from './support/scenarios.ts';
import { Server } from './support/server.ts';
import { colorRules, expect, openFleet, test, violations } from './support/test.ts';

/** axe at the widths of a desk and a phone, all rules in the light theme of the desk and else those
 * whose result can differ, and no horizontal scroll. */
async function check(page: Page, name: string, allRules = true) {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 });
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond, `${name} at ${width} px: horizontal scroll`).toBeLessThanOrEqual(0);
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      const rules = theme === 'dark' ? colorRules : width === 390 ? ['target-size'] : undefined;
      if (allRules || rules)
        expect(await violations(page, rules), `${name} at ${width} px, ${theme}`).toEqual([]);
      if (process.env['SCREENS'])
        await page.screenshot({ path: `../build/screens/${name}-${theme}-${width}.png`, fullPage: true });
    }
  }
  await page.setViewportSize({ width: 1440, height: 900 });
}

test.describe('without an import', () => {
  test('the page says how to import, and the menu has no link', async ({ dashboard: page }) => {
    await openFleet(page);
    await expect(page.getByRole('link', { name: 'Refused requests' })).toBeVisible();
    await page.goto('/settings');
    await page.getByRole('main').getByRole('link', { name: 'Imports' }).click();
    const empty = card(page, 'Nothing was imported yet');
    await expect(empty).toContainText('coreroller import nebraska --data-dir data --dry-run');
    await expect(page.getByRole('navigation', { name: 'Main' }).getByText('Imports')).toHaveCount(0);
    await check(page, 'imports-empty');
  });
});

test.describe('with an import', () => {
  const imported = test.extend<object, { servers: readonly [Server, ...Server[]] }>({
    servers: [
      async ({}, use) => {
        // A server on PostgreSQL may run during an import.
        const [nebraska, database] = await Promise.all([newDatabase(), newDatabase()]);
        await fillNebraska(nebraska.url);
        const to = ['--database-url', database.url];
        const server = await Server.start(undefined, to);
        const out = await Server.command('import', 'nebraska', '--from', nebraska.url, '--yes', ...to);
        expect(out).toContain('Imported:');
        await use([server]);
        await server.remove();
        await Promise.all([nebraska.drop(), database.drop()]);
      },
      { scope: 'worker' },
    ],
  });

  imported('the page shows the report, and a group is reviewed and resumed', async ({ dashboard: page }) => {
    const main = page.getByRole('main');
    await page.goto(`/apps/${app}/groups/${group}`);
    await expect(main.getByText('Paused since its import from Nebraska')).toBeVisible();
    await check(page, 'imports-group', false);
    await main.getByRole('link', { name: 'What the import took' }).click();
    await expect(page.getByRole('heading', { name: 'Imports', level: 1 })).toBeVisible();
    const menu = page.getByRole('navigation', { name: 'Main' });
    await expect(menu.getByRole('link', { name: 'Imports' })).toHaveAttribute('aria-current', 'page');

    const report = main.getByRole('region', { name: /^From Nebraska/ });
    const row = (kind: string) => report.getByRole('row', { name: new RegExp(`^${kind}`) });
    await expect(row('Packages')).toHaveText(/^\s*Packages\s*24\s*0\s*0\s*0\s*1\s*$/);
    await expect(row('Machines')).toHaveText(/^\s*Machines\s*30/);
    await imported.step('the first notes of a kind are shown, and all on request', async () => {
      await report.getByText('Packages', { exact: true }).last().click();
      const notes = report.getByRole('list', { name: 'Notes on packages' }).getByRole('listitem');
      await expect(notes).toHaveCount(20);
      await expect(report).toContainText('1 left out or in conflict');
      await check(page, 'imports');
      await report.getByRole('button', { name: /^Show all/ }).click();
      await expect(notes.filter({ hasText: 'latest⟨U+202E⟩0.1' })).toContainText('not taken:');
    });

    const next = card(page, 'What to do next');
    const old = next.getByRole('list', { name: 'Packages whose files are on the old server' });
    await expect(next).toContainText('Move the files of 24 packages');
    await expect(old.getByRole('listitem')).toHaveCount(5);
    await expect(old.getByRole('listitem').first()).toContainText('offered by stable');

    await expect(next).toContainText('Review 2 paused groups');
    await next.getByRole('button', { name: 'Resume Production' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('the policy is read');
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await expect(dialog).toBeHidden();
    await expect(next).toContainText('Review 1 paused group');
    await expect(next.getByRole('button', { name: 'Resume Laboratory' })).toBeVisible();
    await page.goto(`/apps/${app}/groups/${group}`);
    await expect(main.getByRole('button', { name: 'Pause' })).toBeVisible();
    await expect(main.getByText('Paused since its import')).toHaveCount(0);
  });
});
