import type { Page } from '@playwright/test';
import { colorRules, expect, test, violations } from './support/test.ts';

/** Checks the page with axe in both themes. */
async function accessible(page: Page, name: string) {
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    expect(await violations(page, theme === 'dark' ? colorRules : undefined), `${theme}: axe`).toEqual([]);
    if (process.env['SCREENS']) await page.screenshot({ path: `../build/screens/${name}-${theme}.png` });
  }
}

test('a token is created for a group, its secret is shown once, and revoking it ends it', async ({
  dashboard: page,
  api,
  request,
}) => {
  const rollout = await api.rollout();
  await page.goto('/settings');
  await page.getByRole('link', { name: 'API tokens' }).click();
  await expect(page.getByRole('heading', { name: 'API tokens', level: 1 })).toBeVisible();

  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog');
  const name = `ci ${rollout.name}`;
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('combobox', { name: 'Role' }).click();
  await page.getByRole('option', { name: /^Operator/ }).click();
  await dialog.getByRole('combobox', { name: 'Scope' }).click();
  await page.getByRole('option', { name: 'Groups' }).click();
  await dialog.getByRole('button', { name: 'Create token' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Choose at least one');
  await dialog.getByRole('checkbox', { name: `/ ${rollout.name}` }).check();
  await accessible(page, 'token-dialog');
  await dialog.getByRole('button', { name: 'Create token' }).click();

  const secret = (await page.getByRole('region', { name: 'Secret' }).textContent()) ?? '';
  expect(secret).toMatch(/^crt_[0-9A-Za-z]{43}$/);
  const row = page.getByRole('row', { name });
  await expect(row).toContainText(`crt_…${secret.slice(-4)}`);
  await expect(row).toContainText('New');
  await expect(row).toContainText('Operator');
  await expect(row).toContainText(rollout.name);
  await accessible(page, 'tokens');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.reload();
  await expect(row).toBeVisible();
  await expect(page.getByText(secret)).toHaveCount(0);

  const call = async () =>
    (
      await request.post('/graphql', {
        headers: { Authorization: `Bearer ${secret}` },
        data: { query: '{ serverInfo { version } }' },
      })
    ).status();
  expect(await call()).toBe(200);
  await expect(async () => {
    await page.reload();
    await expect(row).toContainText('127.0.0.1', { timeout: 1_000 });
  }).toPass({ timeout: 20_000 });

  await page.getByRole('button', { name: `Revoke ${name}` }).click();
  await expect(page.getByRole('dialog')).toContainText(/It was last used .* from 127\.0\.0\.1/);
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toHaveCount(0);
  expect(await call()).toBe(401);
});

test('a wall link shows one group without sign-in, until it is revoked', async ({
  dashboard: page,
  api,
  browser,
  baseURL,
}) => {
  const rollout = await api.rollout();
  await page.goto(rollout.path);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Wall link…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Create link' }).click();
  const link = (await dialog.getByRole('region', { name: 'Wall link' }).textContent()) ?? '';
  expect(link).toContain(`${baseURL}${rollout.path}?wall=1#crt_`);
  await accessible(page, 'wall-link');

  const screen = await (await browser.newContext()).newPage();
  const requested: string[] = [];
  screen.on('request', (one) => requested.push(one.url(), JSON.stringify(one.headers())));
  await screen.goto(link);
  await expect(screen.getByRole('heading', { name: rollout.name, level: 1 })).toBeVisible();
  await expect(screen.getByRole('listitem')).toHaveCount(1);
  expect(requested.join(' ').replaceAll(link, '')).not.toContain('crt_');
  expect(await screen.context().cookies()).toEqual([]);
  await screen.reload();
  await expect(screen.getByRole('heading', { name: rollout.name, level: 1 })).toBeVisible();

  await dialog.getByRole('link', { name: 'Tokens' }).click();
  await page.getByRole('button', { name: `Revoke wall ${rollout.name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(screen.getByRole('alert')).toContainText('This link was revoked or has expired', {
    timeout: 5_000,
  });
  await accessible(screen, 'wall-link-ended');
  await screen.context().close();
});

test('another browser is listed and signed out', async ({ dashboard: page, browser }) => {
  const other = await (
    await browser.newContext({ userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/145.0' })
  ).newPage();
  await other.goto('/');
  await other.getByLabel('User name').fill('admin');
  await other.getByLabel('Password').fill('admin');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();

  await page.goto('/settings');
  await page.getByRole('link', { name: 'Sessions' }).click();
  const row = page.getByRole('listitem').filter({ hasText: 'Firefox on Linux' });
  await expect(row).toContainText('from 127.0.0.1');
  await expect(page.getByText('this browser')).toHaveCount(1);
  await accessible(page, 'sessions');
  await row.getByRole('button', { name: 'Sign out…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await expect(row).toHaveCount(0);
  await expect(other.getByLabel('User name')).toBeVisible({ timeout: 5_000 });
  await other.context().close();
});

test('an administrator sees and ends the sessions and tokens of another user', async ({
  dashboard: page,
  api,
  browser,
}) => {
  const username = `uma-${Date.now()}`;
  const password = 'correct horse';
  await api.change('createUser', { username, password, role: 'VIEWER' });
  const other = await (
    await browser.newContext({ userAgent: 'Mozilla/5.0 (X11; Linux) Firefox/145.0' })
  ).newPage();
  await other.goto('/');
  await other.getByLabel('User name').fill(username);
  await other.getByLabel('Password').fill(password);
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
  const token = `nightly ${username}`;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  await other.request.post('/graphql', {
    data: {
      query: `mutation ($in: CreateTokenInput!) { createToken(input: $in) { userErrors { message } } }`,
      variables: { in: { name: token, role: 'VIEWER', expiresAt } },
    },
  });

  await page.goto('/settings');
  const open = async (item: string) => {
    await page.getByRole('button', { name: `Actions for ${username}` }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  await open('Sessions');
  await expect(page.getByRole('heading', { name: `Sessions of ${username}`, level: 1 })).toBeVisible();
  await expect(page.getByText('this browser')).toHaveCount(0);
  const row = page.getByRole('listitem').filter({ hasText: 'Firefox on Linux' });
  await expect(row).toBeVisible();
  await accessible(page, 'sessions-of-a-user');
  await row.getByRole('button', { name: 'Sign out…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('No browser is signed in.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Sign out everywhere…' })).toBeDisabled();
  await expect(other.getByLabel('User name')).toBeVisible({ timeout: 5_000 });

  await page.getByRole('link', { name: 'API tokens of this user' }).click();
  await expect(page.getByRole('heading', { name: `API tokens of ${username}`, level: 1 })).toBeVisible();
  await expect(page.getByRole('row')).toHaveCount(2);
  await accessible(page, 'tokens-of-a-user');
  await page.getByRole('button', { name: `Revoke ${token}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByText('This user has no tokens.')).toBeVisible();
  await other.context().close();
});
