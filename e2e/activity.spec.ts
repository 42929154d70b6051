import type { Page } from '@playwright/test';
import type { Api, Rollout } from './support/api.ts';
import { colorRules, expect, test, violations } from './support/test.ts';

const input = (verb: string) => `${verb[0]?.toUpperCase()}${verb.slice(1)}Input!`;

async function send(api: Api, verb: 'pauseUpdates' | 'resumeUpdates', rollout: Rollout, reason: string) {
  await api.ask(`mutation ($input: ${input(verb)}) { ${verb}(input: $input) { userErrors { message } } }`, {
    input: { groupId: rollout.groupId, reason },
  });
}

async function choose(page: Page, label: string, option: string) {
  await page.getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

test('activity is live, filtered by the address, and older pages load', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  for (let i = 0; i < 30; i++) {
    await send(api, 'pauseUpdates', rollout, `pause ${i}`);
    await send(api, 'resumeUpdates', rollout, `resume ${i}`);
  }
  await page.goto(`/activity?application=${rollout.applicationId}`);
  const lines = page.getByRole('list', { name: 'Activity, newest first' }).getByRole('listitem');
  await expect(lines).toHaveCount(50);
  await expect(lines.first()).toContainText('resume 29');

  await test.step('live', async () => {
    await send(api, 'pauseUpdates', rollout, 'while the page is open');
    await expect(lines.first()).toContainText('while the page is open');
    await expect(lines).toHaveCount(51);
  });

  await test.step('older, each once', async () => {
    await page.getByRole('button', { name: 'Load older' }).click();
    // Thirty pauses and resumes, the first promotion, and the pause just now.
    await expect(lines).toHaveCount(62);
    await expect(page.getByText('No older entries.')).toBeVisible();
    const texts = await lines.allInnerTexts();
    expect(texts.filter((text) => /\bpause 0\b/.test(text))).toHaveLength(1);
  });

  await test.step('filtered', async () => {
    await choose(page, 'Kind', 'Channel moved');
    await expect(page).toHaveURL(/kind=CHANNEL_MOVED/);
    await expect(lines).toHaveCount(1);
    await page.reload();
    await expect(lines).toHaveCount(1);
    await expect(page.getByRole('combobox', { name: 'Kind' })).toHaveText('Channel moved');
    await choose(page, 'Severity', 'Errors');
    await expect(page.getByText('No matching activity.', { exact: false })).toBeVisible();
    await page.getByRole('link', { name: 'Clear filters' }).click();
    await expect(page).toHaveURL(/\/activity$/);
  });
});

test('the audit shows user, change and reason', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  await page.goto(`/audit?application=${rollout.applicationId}`);
  const entries = page.getByRole('list', { name: 'Changes, newest first' }).getByRole('listitem');
  const newest = entries.first();
  await expect(newest).toBeVisible();
  await send(api, 'pauseUpdates', rollout, 'mirror overloaded'); // while the page is open
  await expect(newest).toContainText(`admin paused group ${rollout.name}`);
  await expect(newest).toContainText('“mirror overloaded”');
  await newest.getByText('policy · updates from on to off').click();
  await expect(newest.getByRole('row', { name: 'policy · updates on off' })).toBeVisible();
  await expect(newest.getByRole('definition').filter({ hasText: /^#[\d,]+$/ })).toBeVisible();
  await expect(
    newest.getByRole('definition').filter({ hasText: /^[0-9a-f]{4}…[0-9a-f]{4}.* follows / }),
  ).toBeVisible();
  await expect(page.getByText(/entr(y|ies) in the chain, last hash/)).toBeVisible();
  await newest.getByRole('link', { name: '127.0.0.1' }).click();
  await expect(page).toHaveURL(/text=127\.0\.0\.1/);
  await expect(newest).toContainText('127.0.0.1');
  await page.goto(`/audit?application=${rollout.applicationId}`);

  await choose(page, 'Change', 'Create channel');
  await expect(page).toHaveURL(/verb=createChannel/);
  await expect(entries).toHaveCount(1);
  await entries.first().getByText('Initial values').click();
  // A reference is shown by name, not by id.
  await expect(
    entries
      .first()
      .getByRole('row', { name: /^package/ })
      .getByRole('link', { name: '2.0.0' }),
  ).toBeVisible();
  await page.getByRole('link', { name: 'all changes of this channel' }).click();
  await expect(page).toHaveURL(/object=/);
  await expect(entries).toHaveCount(1);
});

test('an opened audit entry is accessible, and a failed sign-in is one', async ({
  dashboard: page,
  browser,
  server,
  api,
}) => {
  const rollout = await api.rollout();
  await send(api, 'pauseUpdates', rollout, 'mirror overloaded');
  const other = await browser.newPage({ baseURL: server.url });
  const name = `guess ${rollout.name}`;
  await other.request.post('/graphql', {
    data: {
      query: `mutation { signIn(input: {username: "${name}", password: "wrong"}) { userErrors { code } } }`,
    },
  });
  await other.close();
  await page.goto('/audit');
  const entries = page.getByRole('list', { name: 'Changes, newest first' }).getByRole('listitem');
  await expect(entries.filter({ hasText: `${name} failed to sign in` })).toContainText('basic · 127.0.0.1');
  const paused = entries.filter({ hasText: `admin paused group ${rollout.name}` });
  await paused.getByText('policy · updates from on to off').click();
  await expect(paused.getByText('Entry', { exact: true })).toBeVisible();
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await violations(page, theme === 'dark' ? colorRules : undefined), `${theme}: axe`).toEqual([]);
      if (process.env['SCREENS'])
        await page.screenshot({ path: `../build/screens/audit-${theme}-${width}.png` });
    }
  }
});

test('the settings show live server health', async ({ dashboard: page }) => {
  await page.goto('/settings');
  const health = page.getByRole('region', { name: 'Server health' });
  await expect(health.getByText('requests a second')).toBeVisible();
  const asOf = health.getByText(/^as of/);
  const before = await asOf.innerText();
  await expect(asOf).not.toHaveText(before);
  await expect(health.getByRole('table')).toBeVisible();
});

test('a user is added with a role, may do only that, and is removed', async ({
  dashboard: page,
  browser,
  server,
  api,
}) => {
  const rollout = await api.rollout();
  await page.goto('/settings');
  const users = page.getByRole('region', { name: 'Users' });
  await page.getByRole('button', { name: 'Add user' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('User name').fill('admin');
  await dialog.getByLabel('First password').fill('correct horse');
  await expect(dialog.getByRole('combobox', { name: 'Role' })).toContainText('Viewer');
  await dialog.getByRole('button', { name: 'Add' }).click();
  // The error is shown at the field.
  await expect(dialog.getByLabel('User name')).toHaveAttribute('aria-invalid', 'true');
  const name = `ana-${Date.now()}`;
  await dialog.getByLabel('User name').fill(name);
  await dialog.getByRole('button', { name: 'Add' }).click();
  await expect(users.getByText(name)).toBeVisible();

  const other = await (await browser.newContext({ baseURL: server.url })).newPage();
  await other.goto('/');
  await other.getByLabel('User name').fill(name);
  await other.getByLabel('Password').fill('correct horse');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();

  await test.step('what the role does not allow is disabled with the reason', async () => {
    await other.goto(rollout.path);
    const pause = other.getByRole('button', { name: 'Pause' });
    await expect(pause).toBeDisabled();
    await expect(pause).toHaveAttribute('title', 'Needs the role operator on this group; you are viewer.');
    await other.goto('/settings');
    await expect(other.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible();
    await expect(other.getByRole('region', { name: 'Users' })).toHaveCount(0);
  });

  await test.step('another role applies to the open session', async () => {
    await users.getByRole('button', { name: `Actions for ${name}` }).click();
    await page.getByRole('menuitem', { name: 'Change role' }).click();
    await dialog.getByRole('combobox', { name: 'Role' }).click();
    await page.getByRole('option', { name: 'Operator' }).click();
    await dialog.getByRole('button', { name: 'Change' }).click();
    await expect(users.getByRole('listitem').filter({ hasText: name })).toContainText('Operator');
    await other.goto(rollout.path);
    await expect(other.getByRole('button', { name: 'Pause' })).toBeEnabled();
    await expect(other.getByRole('button', { name: 'Edit', exact: true })).toBeDisabled();
  });

  await users.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(users.getByText(name)).toBeHidden();
  await other.reload();
  await expect(other.getByLabel('User name')).toBeVisible();
  await other.context().close();
});
