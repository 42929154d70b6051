import { expect, openFleet, signIn, test } from './support/test.ts';

test('signing in needs the right password and opens the requested page', async ({ page, api }) => {
  const { path, name } = await api.rollout();
  await page.goto(path);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();

  await page.getByLabel('Password').fill('admin');
  await page.getByRole('button', { name: 'Sign in' }).click();
  // The requested page, not the start page.
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
});

test('every page warns about the initial password and links to its change', async ({ dashboard }) => {
  await openFleet(dashboard);
  await dashboard.getByRole('link', { name: 'Change password' }).first().click();
  await expect(dashboard.getByRole('heading', { name: 'Change your password' })).toBeVisible();
  await dashboard.getByLabel('Current password').fill('not it');
  await dashboard.getByLabel('New password', { exact: true }).fill('correct horse');
  await dashboard.getByLabel('Repeat new password').fill('correct horse');
  await dashboard.getByRole('button', { name: 'Change password' }).click();
  await expect(dashboard.getByLabel('Current password')).toHaveAttribute('aria-invalid', 'true');
});

test('signing out ends the session in every tab', async ({ dashboard, context }) => {
  const other = await context.newPage();
  await openFleet(dashboard);
  await openFleet(other);
  await dashboard.getByRole('button', { name: 'Sign out' }).click();
  await expect(dashboard.getByLabel('User name')).toBeVisible();
  await other.reload();
  await expect(other.getByLabel('User name')).toBeVisible();
  await signIn(dashboard);
});

test('an expired session leads to the sign-in page, without a dialog of the browser', async ({
  dashboard,
  context,
}) => {
  await dashboard.goto('/');
  await expect(dashboard.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
  await context.clearCookies();
  const refused = dashboard.waitForResponse((response) => response.status() === 401);
  await dashboard.getByRole('link', { name: 'Activity', exact: true }).first().click();
  expect((await refused).headers()['www-authenticate']).toMatch(/^Bearer/);
  await expect(dashboard.getByRole('button', { name: 'Sign in' })).toBeVisible();
});
