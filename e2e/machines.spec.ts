import type { Locator, Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { Site } from './measure/site.ts';
import { expect, test as base, violations } from './support/test.ts';

/** Half of the machines run the target 2.0.0; the others run 1.0.0 and are held. */
const machines = 100_000;

const test = base.extend<{ list: Locator }, { site: Site }>({
  site: [
    async ({}, use) => {
      const site = await Site.start(machines);
      await use(site);
      await site.server.remove();
    },
    { scope: 'worker' },
  ],
  server: [async ({ site }, use) => use(site.server), { scope: 'worker' }],
  list: async ({ page }, use) => use(page.getByRole('region', { name: 'List of machines' })),
});

// One worker, because every worker fills a database of its own.
test.describe.configure({ mode: 'default' });

const id = (n: number) => n.toString(16).padStart(32, '0');
const path = (site: Site, query = '') => `/apps/${site.applicationId}/machines${query}`;
const total = (page: Page, text: string) => expect(page.getByText(text, { exact: true })).toBeVisible();

/** The rendered rows: row index and machine id. */
const shown = (list: Locator) =>
  list
    .locator('[data-index]')
    .evaluateAll((rows) =>
      rows.map((row) => [
        Number(row.getAttribute('aria-rowindex')),
        row.querySelector('[data-row-link]')?.getAttribute('title') ?? null,
      ]),
    ) as Promise<[number, string | null][]>;

test('a list of 100,000 machines scrolls with few rendered rows', async ({ dashboard: page, site, list }) => {
  await page.goto(path(site));
  await total(page, '100,000 machines');
  await expect(list.getByRole('table')).toHaveAttribute('aria-rowcount', '100001');
  await expect(list.getByRole('link', { name: '0000…0000' })).toBeVisible();
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.postData()?.includes('query Instances(')) asked.push(request.postData() ?? '');
  });
  await list.hover();
  for (let i = 0; i < 40; i++) {
    await page.mouse.wheel(0, 1500);
    await expect.poll(async () => (await shown(list)).every(([, machine]) => machine !== null)).toBe(true);
  }
  const rows = await shown(list);
  expect(rows.length).toBeLessThan(80);
  expect(rows[0]?.[0]).toBeGreaterThan(1200);
  for (const [row, machine] of rows) expect(machine).toBe(id(row - 2));
  // A page has 100 rows: each is loaded once.
  expect(asked.length).toBeLessThan(40);

  // Again and again, because the last turn of the wheel may still move the list.
  await expect
    .poll(async () => {
      await list.evaluate((region) => (region.scrollTop = 0));
      return (await shown(list))[0];
    })
    .toEqual([2, id(0)]);
});

test('filters, search and order are applied by the server and kept in the address', async ({
  dashboard: page,
  site,
  list,
}) => {
  await page.goto(path(site));
  await page.getByRole('combobox', { name: 'Version' }).click();
  await page.getByRole('option', { name: '2.0.0' }).click();
  await expect(page).toHaveURL(/version=2\.0\.0/);
  await total(page, '50,000 machines');
  await expect(list.getByRole('cell', { name: '1.0.0' })).toHaveCount(0);

  await page.getByRole('searchbox', { name: /Search machines/ }).fill(id(0xabc0).slice(0, -1));
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/search=/);
  await total(page, '8 machines');
  await page.goBack();
  await total(page, '50,000 machines');
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await total(page, '100,000 machines');

  // A search that the counters do not cover stops at 1,000.
  await page.goto(path(site, '?search=0000&seen=24h'));
  await total(page, 'more than 1,000 machines');
  await expect(list.getByRole('table')).toHaveAttribute('aria-rowcount', '-1');

  await page.goto(path(site));
  await expect(list.getByRole('button', { name: 'Running' })).toBeHidden();
  await page.getByRole('combobox', { name: 'Group' }).click();
  await page.getByRole('option', { name: /^t/ }).click();
  await list.getByRole('button', { name: 'Running' }).click();
  await list.getByRole('button', { name: 'Running' }).click();
  await expect(page).toHaveURL(/sort=-version/);
  await expect(list.getByRole('columnheader', { name: 'Running' })).toHaveAttribute(
    'aria-sort',
    'descending',
  );
  await expect(list.getByRole('cell', { name: '2.0.0' }).first()).toBeVisible();
  await page.reload();
  await expect(list.getByRole('row').nth(1)).toContainText('2.0.0');

  await page.getByRole('link', { name: /^Waiting/ }).click();
  await total(page, '50,000 machines');
  await expect(list.getByRole('cell', { name: 'On hold' }).first()).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test('the list of the whole fleet shows application and group', async ({ dashboard: page, list }) => {
  await page.goto('/machines?show=on-target');
  await total(page, '50,000 machines');
  await expect(list.getByRole('cell', { name: 't, bench' }).first()).toBeVisible();
});

test('the list works by keyboard, and keeps the focus while it scrolls', async ({
  dashboard: page,
  site,
  list,
}) => {
  await page.goto(path(site));
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('title'));
  await list.getByRole('link', { name: '0000…0000' }).first().focus();
  for (let i = 0; i < 30; i++) await page.keyboard.press('j');
  expect(await focused()).toBe(id(30));
  await page.keyboard.press('k');
  await page.keyboard.press('ArrowUp');
  expect(await focused()).toBe(id(28));
  await page.keyboard.press('PageDown');
  await expect.poll(focused).not.toBe(id(28));
  await expect(list.locator(':focus')).toBeInViewport();

  const before = await focused();
  await list.evaluate((region) => (region.scrollTop = 0));
  await expect.poll(async () => (await shown(list))[0]).toEqual([2, id(0)]);
  expect(await focused()).toBe(before);

  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Next update check' })).toBeVisible();
  await expect(page.getByText(before ?? '', { exact: true })).toBeVisible();
});

test('the export contains every filtered machine once', async ({ dashboard: page, site }) => {
  await page.goto(path(site, `?version=1.0.0&search=${id(0x1000).slice(0, -3)}`));
  await expect(page.getByText(/machines$/).first()).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^machines-bench-1\.0\.0-0+1-\d{4}-\d\d-\d\d-\d\d-\d\d\.csv$/);
  const lines = (await readFile(await file.path(), 'utf8')).trimEnd().split('\r\n');
  expect(lines[0]).toMatch(/^machine_id,alias,application,group,state,/);
  const ids = lines.slice(1).map((line) => line.split(',')[0]);
  expect(ids).toEqual(Array.from({ length: 2048 }, (_, i) => id(0x1000 + 2 * i + 1)));
  expect(lines[1]).toContain(',bench,t,ON_HOLD,ACTIVE,CONCURRENCY_LIMIT,1.0.0,');
});

test('a long export shows its progress and can be cancelled', async ({ dashboard: page, site }) => {
  await page.goto(path(site));
  await total(page, '100,000 machines');
  await page.getByRole('button', { name: 'CSV' }).click();
  await expect(page.getByText(/^[\d,]*00 of 100,000$/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: 'CSV' })).toBeEnabled();

  // A lost connection shows an error instead of a partial file.
  await page.getByRole('button', { name: 'CSV' }).click();
  await page.route('**/graphql', (route) => route.abort());
  await expect(page.getByRole('alert').filter({ hasText: 'Export failed' })).toBeVisible();
});

test('few machines are tiles, and the layout is in the address', async ({ dashboard: page, site, list }) => {
  await page.goto(path(site, `?search=${id(0xabc0).slice(0, -1)}`));
  const tiles = page.getByRole('list', { name: 'Machines', exact: true });
  await expect(tiles.getByRole('link')).toHaveCount(16);
  await expect(tiles.getByRole('link', { name: /abc1 On hold: in-flight cap 1\.0\.0/ })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Table', exact: true }).click();
  await expect(page).toHaveURL(/layout=table/);
  await expect(list.getByRole('row')).toHaveCount(17);
  await tiles.waitFor({ state: 'detached' });
});

test('an empty list can be cleared of filters', async ({ dashboard: page, site, list }) => {
  await page.goto(path(site, '?oem=unknown'));
  await expect(page.getByText('No machines match.')).toBeVisible();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expect(list.getByRole('link').first()).toBeVisible();
});
