import type { Page } from '@playwright/test';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { colorRules, expect, test, violations } from './support/test.ts';

interface Receiver {
  url: string;
  /** The answer from now on. */
  answer: { status: number; headers?: Record<string, string>; body: string };
  /** The ids of the messages, oldest first. */
  ids: string[];
  close: () => void;
}

/** A server that gets webhooks. */
async function receiver(): Promise<Receiver> {
  const found: Receiver = { url: '', answer: { status: 200, body: 'thank you' }, ids: [], close: () => {} };
  const server = createServer((request, response) => {
    found.ids.push(String(request.headers['webhook-id']));
    const { status, headers, body } = found.answer;
    response.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end(body);
    request.resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  found.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  found.close = () => {
    server.close();
    server.closeAllConnections();
  };
  return found;
}

/** The rules of axe whose result can differ on a phone. */
const phoneRules = ['target-size', 'scrollable-region-focusable', ...colorRules];

/** Checks the page with axe in both themes, and that it fits. */
async function accessible(page: Page, name: string, rules?: readonly string[]) {
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    expect(await violations(page, theme === 'dark' ? colorRules : rules), `${theme}: axe`).toEqual([]);
    if (process.env['SCREENS'])
      await page.screenshot({ path: `../build/screens/${name}-${theme}.png`, fullPage: true });
  }
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wider, `${name} fits`).toBeLessThanOrEqual(0);
}

test('a webhook is made and tested, a failure has its reason, and a message is sent again', async ({
  dashboard: page,
  api,
}) => {
  const rollout = await api.rollout();
  const hook = await receiver();
  const dialog = page.getByRole('dialog');
  try {
    await page.goto('/settings');
    await page.getByRole('link', { name: 'Notifications' }).click();
    await expect(page.getByText('There is none yet')).toBeVisible();

    await page.getByRole('button', { name: 'New notifier' }).click();
    await dialog.getByLabel('Name').fill('Tracker');
    await dialog.getByRole('button', { name: 'Create notifier' }).click();
    await expect(dialog.getByLabel('URL')).toHaveAttribute('aria-invalid', 'true');
    await dialog.getByLabel('URL').fill(`${hook.url}?key=hidden`);
    await dialog.getByRole('combobox', { name: 'Events' }).click();
    await page.getByRole('option', { name: 'Chosen kinds' }).click();
    await dialog.getByRole('button', { name: 'Create notifier' }).click();
    await expect(dialog.getByRole('alert')).toContainText('Choose at least one');
    for (const kind of ['Group paused', 'Group resumed'])
      await dialog.getByRole('checkbox', { name: kind }).check();
    await dialog.getByRole('combobox', { name: 'Where' }).click();
    await page.getByRole('option', { name: 'Chosen applications' }).click();
    await dialog.getByRole('group', { name: 'Applications' }).getByRole('checkbox').last().check();
    await dialog.getByRole('combobox', { name: 'Where' }).click();
    await page.getByRole('option', { name: 'All applications' }).click();
    await dialog.getByRole('switch', { name: 'Quiet hours' }).click();
    await accessible(page, 'notifier-dialog');
    await dialog.getByRole('switch', { name: 'Quiet hours' }).click();
    await dialog.getByRole('button', { name: 'Create notifier' }).click();
    await expect(page.getByRole('region', { name: 'Secret' })).toContainText('whsec_');
    const row = page.getByRole('row', { name: /^Tracker/ });
    await expect(row).toContainText('Group paused and group resumed, in all applications.');
    await expect(page.locator('main')).not.toContainText('hidden');

    await page.getByRole('button', { name: 'Test Tracker…' }).click();
    await dialog.getByRole('button', { name: 'Send test' }).click();
    await expect(dialog.getByRole('status')).toContainText('accepted the test');
    await expect(dialog.getByRole('region', { name: 'Request' })).toContainText('"type": "test"');
    await expect(dialog.getByRole('region', { name: 'Answer' })).toContainText('thank you');
    await accessible(page, 'notifier-test');
    await dialog.getByRole('button', { name: 'Close' }).click();

    hook.answer = { status: 503, headers: { 'Retry-After': '7200' }, body: 'in maintenance \u202e mode' };
    await api.change('pauseUpdates', { groupId: rollout.groupId, reason: 'a test' });
    await expect(row).toContainText('Failing since');
    await accessible(page, 'notifications');
    await row.getByRole('link', { name: 'Tracker' }).click();
    await expect(page.getByRole('heading', { name: 'Tracker', level: 1 })).toBeVisible();
    await expect(page.getByRole('region', { name: 'Secret' })).toHaveCount(0);
    const failing = page.getByRole('row', { name: /rollout\.paused/ });
    await expect(failing).toContainText('503');
    await failing.getByRole('link').press('Enter');
    await expect(page.getByRole('region', { name: 'Answer' })).toContainText('in maintenance ⟨U+202E⟩ mode');
    await expect(page.getByText('Attempt 2 of 10, 2 h after the last, as Retry-After asks.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Redeliver…' })).toHaveCount(0);
    await accessible(page, 'notifier');
    await page.setViewportSize({ width: 390, height: 844 });
    await accessible(page, 'notifier-phone', phoneRules);
    await page.setViewportSize({ width: 1280, height: 720 });

    hook.answer = { status: 204, body: '' };
    await api.change('resumeUpdates', { groupId: rollout.groupId, reason: 'a test' });
    // The focus is in the list, so its rows do not move by themselves.
    await page.getByRole('button', { name: '1 new' }).click();
    const delivered = page.getByRole('row', { name: /rollout\.resumed/ });
    await expect(delivered).toContainText('204');
    const id = hook.ids.at(-1);
    const got = () => hook.ids.filter((each) => each === id).length;
    expect(got()).toBe(1);
    await delivered.getByRole('link').click();
    await page.getByRole('button', { name: 'Redeliver…' }).click();
    await dialog.getByRole('button', { name: 'Redeliver' }).click();
    await expect.poll(got).toBe(2);

    const act = async (item: string, confirm: string) => {
      await page.getByRole('button', { name: 'Actions for Tracker' }).click();
      await page.getByRole('menuitem', { name: item }).click();
      await dialog.getByRole('button', { name: confirm }).click();
    };
    await act('Rotate secret…', 'Rotate secret');
    await expect(page.getByRole('region', { name: 'Secret' })).toContainText('whsec_');
    await act('Disable…', 'Disable');
    await expect(page.locator('main')).toContainText('Disabled');
    await act('Delete…', 'Delete');
    await expect(page.getByText('There is none yet')).toBeVisible();
  } finally {
    hook.close();
  }
});
