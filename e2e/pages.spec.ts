import { expect, test, violations } from './support/test.ts';

for (const theme of ['light', 'dark'] as const) {
  for (const device of ['desk', 'phone'] as const) {
    test.describe(`${theme}, ${device}`, () => {
      test.use({
        colorScheme: theme,
        viewport: device === 'desk' ? { width: 1440, height: 1000 } : { width: 360, height: 780 },
        hasTouch: device === 'phone',
        contextOptions: { reducedMotion: 'reduce' },
      });

      test('every page is accessible, fits, and logs no error', async ({
        dashboard: page,
        api,
        machines,
      }) => {
        const complaints: string[] = [];
        page.on('console', (message) => {
          if (message.type() === 'error') complaints.push(message.text());
        });
        page.on('pageerror', (error) => complaints.push(error.message));

        const rollout = await api.rollout({
          maxConcurrentUpdates: 5,
          waves: [{ share: 0.4, approval: true }, { share: 1 }], // it cannot end while the test looks
        });
        machines(rollout, { machines: 50, versions: '1.0.0:40,1.1.0:10', failure: 0.2 });
        await expect.poll(async () => (await api.numbers(rollout.groupId)).onTarget).toBeGreaterThan(3);

        const look = async (name: string) => {
          expect(await violations(page), `${name}: axe`).toEqual([]);
          const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          expect(beyond, `${name}: horizontal scroll`).toBeLessThanOrEqual(0);
          await page.screenshot({ path: `../build/screens/${name}-${theme}-${device}.png`, fullPage: true });
        };

        await page.goto('/');
        await expect(page.getByRole('main').getByRole('link', { name: rollout.name }).first()).toBeVisible();
        await look('fleet');

        await page.goto(rollout.path);
        await expect(
          page.getByRole('region', { name: 'List of machines' }).getByRole('link').first(),
        ).toBeVisible();
        await look('group');

        await page.getByRole('button', { name: 'As a table' }).first().click();
        await expect(page.getByRole('region', { name: 'Machines by state, as a table' })).toBeVisible();
        await page.getByRole('button', { name: 'Halt' }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await look('dialog');
        await page.keyboard.press('Escape');

        await page.getByRole('region', { name: 'List of machines' }).getByRole('link').first().click();
        await expect(page.getByRole('heading', { name: 'Would it update now?' })).toBeVisible();
        await look('machine');

        await page.goto('/account/password');
        await expect(page.getByRole('heading', { name: 'Change your password' })).toBeVisible();
        await look('password');

        await page.goto('/no/such/page');
        await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
        await look('missing');

        await page.context().clearCookies();
        await page.goto('/');
        await expect(page.getByLabel('User name')).toBeVisible();
        await look('sign-in');

        expect(complaints).toEqual([]);
      });
    });
  }
}

test('the theme switch overrules the system and is remembered', async ({ dashboard: page }) => {
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await expect.poll(background).not.toBe(light);
  const dark = await background();
  await page.reload();
  expect(await background()).toBe(dark);
});

test('the page can be used with the keyboard alone', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  await page.goto(rollout.path);
  await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('main').locator(':focus')).toBeVisible();

  await page.getByRole('button', { name: 'Pause' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeFocused();
});

test('the API playground opens signed in and loads nothing from elsewhere', async ({
  dashboard: page,
  server,
}) => {
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('data:'))
      elsewhere.push(request.url());
  });
  await page.getByRole('link', { name: 'API' }).click();
  await expect(page).toHaveURL(/\/playground$/);
  await expect(page.getByRole('button', { name: /Execute/ })).toBeVisible();
  expect(elsewhere).toEqual([]);
});

test('the first view of a page is small', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  await page.goto(rollout.path);
  await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
  const script = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map((entry) => entry as PerformanceResourceTiming)
      .filter(({ name }) => name.endsWith('.js'))
      .reduce((bytes, { encodedBodySize }) => bytes + encodedBodySize, 0),
  );
  expect(script).toBeGreaterThan(10_000);
  expect(script).toBeLessThan(200_000);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 780 }, hasTouch: true });

  test('the menu leads to a group, which can be paused', async ({ dashboard: page, api }) => {
    const rollout = await api.rollout();
    // On a page of its application the menu shows the group, however many others there are.
    await page.goto(`/apps/${rollout.applicationId}`);
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeHidden();
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: rollout.name }).click();
    await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
    await expect(page.getByRole('navigation', { name: 'Main' })).toBeHidden();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible();
  });
});
