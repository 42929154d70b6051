import { expect, signIn, test } from './support/test.ts';

test('a stranger is asked to sign in, and only with the right password gets in', async ({ page, api }) => {
  const { path, name } = await api.rollout();
  await page.goto(path);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();

  await page.getByLabel('Password').fill('admin');
  await page.getByRole('button', { name: 'Sign in' }).click();
  // The page that was asked for, not the first one.
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
});

test('the first password is warned about on every page, with the way to change it', async ({ dashboard }) => {
  await dashboard.getByRole('link', { name: 'Change it' }).first().click();
  await expect(dashboard.getByRole('heading', { name: 'Change your password' })).toBeVisible();
  await dashboard.getByLabel('Present password').fill('not it');
  await dashboard.getByLabel('New password', { exact: true }).fill('correct horse');
  await dashboard.getByLabel('New password again').fill('correct horse');
  await dashboard.getByRole('button', { name: 'Change password' }).click();
  await expect(dashboard.getByLabel('Present password')).toHaveAttribute('aria-invalid', 'true');
});

test('signing out ends the session in every tab', async ({ dashboard, context }) => {
  const other = await context.newPage();
  await other.goto('/');
  await expect(other.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
  await dashboard.getByRole('button', { name: 'Sign out' }).click();
  await expect(dashboard.getByLabel('User name')).toBeVisible();
  await other.reload();
  await expect(other.getByLabel('User name')).toBeVisible();
  await signIn(dashboard);
});
