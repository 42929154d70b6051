import type { Page } from '@playwright/test';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { colorRules, expect, test, violations } from './support/test.ts';

/** More than one part of an upload, so that the second one can be lost. */
const content = randomBytes(17 * 1024 * 1024);
const digest = (algorithm: string, encoding: 'base64' | 'hex') =>
  createHash(algorithm).update(content).digest(encoding);

/** The files are on disk, because the browser reads them in parts. */
let folder: string;
test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'coreroller-payloads-'));
  await writeFile(join(folder, 'agent.bin'), content);
  await writeFile(join(folder, 'wrong.bin'), Buffer.from(content).fill(0, 0, 8));
});
test.afterAll(() => rm(folder, { recursive: true, force: true }));

async function upload(page: Page, file: string) {
  await page.getByRole('button', { name: 'Upload…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('input[type=file]').setInputFiles(join(folder, file));
  await dialog.getByRole('button', { name: 'Upload', exact: true }).click();
}

test('a file is uploaded over a lost connection and a reload, promoted and downloaded', async ({
  dashboard: page,
  api,
  request,
}) => {
  const { applicationId } = await api.rollout();
  const { made } = await api.ask<{ made: { package: { id: string } } }>(
    'mutation ($input: CreatePackageInput!) { made: createPackage(input: $input) { package { id } } }',
    {
      input: {
        applicationId,
        type: 'OTHER',
        version: '3.8.0',
        hosted: true,
        filename: 'agent.bin',
        size: content.length,
        sha1: digest('sha1', 'base64'),
        sha256: digest('sha256', 'hex'),
      },
    },
  );
  await page.goto(`/apps/${applicationId}/packages/${made.package.id}`);
  await expect(page.getByText('Not ready: agent.bin is not stored yet')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Promote to' })).toBeDisabled();

  await upload(page, 'wrong.bin');
  const refusal = page.getByRole('alert');
  await expect(refusal).toContainText(`expected ${digest('sha256', 'hex')}, is `);
  await page.getByRole('button', { name: 'Dismiss' }).click();

  // The first part arrives, the second one does not.
  let lost = true;
  let sent = 0;
  await page.route('**/uploads/*', async (route) => {
    const { method, headers } = { method: route.request().method(), headers: route.request().headers() };
    if (method === 'PATCH' && lost && headers['upload-offset'] !== '0') return route.abort();
    if (method === 'PATCH') sent++;
    return route.continue();
  });
  await upload(page, 'agent.bin');
  await expect(page.getByText('Connection lost')).toBeVisible();
  page.on('dialog', (dialog) => void dialog.accept()); // the browser asks before it interrupts an upload
  await page.reload();
  await expect(page.getByText('Upload interrupted')).toBeVisible();
  await expect(page.getByText('16 MiB of 17 MiB arrived')).toBeVisible();
  expect(await violations(page)).toEqual([]);

  const again = page.getByRole('list', { name: 'Arriving files' }).locator('input[type=file]');
  await again.setInputFiles(join(folder, 'wrong.bin'));
  await expect(page.getByText(/This is another file/)).toBeVisible();
  lost = false;
  await again.setInputFiles(join(folder, 'agent.bin'));
  await expect(page.getByText('Stored, digests verified')).toBeVisible();
  await expect(page.getByText('Ready · all digests verified')).toBeVisible();
  expect(sent).toBe(2); // the first part was not sent again
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  expect(await violations(page, colorRules)).toEqual([]);

  await page.getByRole('button', { name: 'Promote to' }).click();
  await page.getByRole('menuitem', { name: /^stable/ }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('next release');
  await page.getByRole('dialog').getByRole('button', { name: 'Promote', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Channels' })).toContainText('stable');

  const { package: stored } = await api.ask<{ package: { url: string } }>(
    'query ($id: ID!) { package(id: $id) { url } }',
    { id: made.package.id },
  );
  const part = await request.get(`${stored.url}agent.bin`, { headers: { Range: 'bytes=5000000-5000099' } });
  expect(part.status()).toBe(206);
  expect((await part.body()).equals(content.subarray(5_000_000, 5_000_100))).toBe(true);
});

test('a new package takes its size and digests from the uploaded file', async ({ dashboard: page, api }) => {
  const { applicationId } = await api.rollout();
  await page.goto(`/apps/${applicationId}/packages/new`);
  await page.getByLabel('Version').fill('4.0.0');
  await page.getByRole('radio', { name: 'From this server: upload a file' }).check();
  await page.getByRole('button', { name: 'Create package' }).click();
  await expect(page.getByText('Choose a file', { exact: true })).toBeVisible();
  await page.locator('input[type=file]').first().setInputFiles(join(folder, 'agent.bin'));
  await page.getByRole('button', { name: 'Create package' }).click();
  await expect(page.getByText('Ready · all digests verified')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Payload' })).toContainText(digest('sha256', 'hex'));

  await page.getByRole('button', { name: 'Actions of agent.bin' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete file' }).click();
  await expect(page.getByText('Not ready: agent.bin is not stored yet')).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 800 }, hasTouch: true });

  test('the storage shows the room, what no package names, and the downloads', async ({
    dashboard: page,
  }) => {
    await page.goto('/storage');
    await expect(page.getByRole('region', { name: 'Storage' })).toContainText('free');
    await expect(page.getByRole('region', { name: 'Downloads now' })).toContainText('of 200 at once');
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond).toBeLessThanOrEqual(0);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    expect(await violations(page, colorRules)).toEqual([]);
  });
});
