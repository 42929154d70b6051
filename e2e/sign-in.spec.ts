import { colorRules, expect, test, violations } from './support/test.ts';
import { Server } from './support/server.ts';

test('the sign-in page offers identity providers and explains a failure', async ({ page }) => {
  // The provider is not there; GitHub is asked for nothing before the sign-in begins.
  const oidc = ['--oidc-issuer', 'http://127.0.0.1:9', '--oidc-client-id', 'c', '--oidc-name', 'Keycloak'];
  const github = ['--github-client-id', 'c', '--github-client-secret', 's', '--github-role', 'a/b=viewer'];
  const server = await Server.start(undefined, [...oidc, '--oidc-role', 'ops=operator', ...github]);
  try {
    await page.goto(`${server.url}/activity`);
    await expect(page.getByRole('link', { name: 'Sign in with GitHub' })).toHaveAttribute(
      'href',
      '/auth/github/start?to=%2Factivity',
    );
    await page.getByRole('link', { name: 'Sign in with Keycloak' }).click();
    await expect(page.getByRole('alert')).toContainText('not available now');
    await expect(page).toHaveURL(`${server.url}/activity`);
    await expect(page.getByRole('link', { name: 'Sign in with Keycloak' })).toBeVisible();
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      for (const width of [1440, 390]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await violations(page, theme === 'dark' ? colorRules : undefined), theme).toEqual([]);
        if (process.env['SCREENS'])
          await page.screenshot({ path: `../build/screens/sign-in-${theme}-${width}.png` });
      }
    }

    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill('admin');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('heading', { name: 'Activity', level: 1 })).toBeVisible();
  } finally {
    await server.remove();
  }
});
