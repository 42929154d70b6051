import type { Locator } from '@playwright/test';
import { colorRules, expect, openFleet, test, violations } from './support/test.ts';

/** Rules whose result depends on the layout or on colors. */
const layoutRules = ['target-size', ...colorRules];

/** Pages whose layout has more columns in a wider window. */
const columned = ['fleet', 'application', 'channel', 'group', 'machines', 'machine'];

/** A window of 1440 px at 200 % zoom has 720 CSS pixels. axe takes most of the time of
 * these tests, so each device runs the rules whose result can differ there, and at
 * further widths those of layout and color on the pages with columns. The themes differ
 * in colors only. */
const devices = {
  desk: {
    shape: { viewport: { width: 1280, height: 900 } },
    further: [1920, 2560],
    light: undefined,
    dark: colorRules,
  },
  phone: {
    shape: { viewport: { width: 360, height: 780 }, hasTouch: true },
    further: [390],
    light: undefined,
    dark: [],
  },
  'zoomed desk': {
    shape: { viewport: { width: 720, height: 500 }, deviceScaleFactor: 2 },
    further: [],
    light: ['target-size'],
    dark: [],
  },
};

for (const [device, { shape, further, ...rules }] of Object.entries(devices)) {
  test.describe(device, () => {
    test.use({ ...shape, contextOptions: { reducedMotion: 'reduce' } });

    test('every page is accessible in both themes, fits, and logs no error', async ({
      dashboard: page,
      api,
      machines,
    }) => {
      test.slow(); // two dozen pages
      const errors: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      page.on('pageerror', (error) => errors.push(error.message));

      const rollout = await api.rollout({
        maxConcurrentUpdates: 5,
        waves: [{ share: 0.4, approval: true }, { share: 1 }], // does not finish during the test
      });
      machines(rollout, { machines: 50, versions: '1.0.0:40,1.1.0:10', failure: 0.2 });
      await expect.poll(async () => (await api.numbers(rollout.groupId)).onTarget).toBeGreaterThan(3);
      const application = `/apps/${rollout.applicationId}`;
      const { channelId, packageId } = rollout;

      const main = page.getByRole('main');
      const title = (name: string | RegExp) => main.getByRole('heading', { level: 1, name });
      const dialog = page.getByRole('dialog');
      const firstMachine = main.locator('a[href*="/machines/"]:not([href$="/jobs"])').first();

      interface Rules {
        light: readonly string[] | undefined;
        dark: readonly string[] | undefined;
      }
      const { width, height } = shape.viewport;
      const checkAt = async (name: string, width: number, { light, dark }: Rules) => {
        const at = `${name} at ${width} px`;
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(beyond, `${at}: horizontal scroll`).toBeLessThanOrEqual(0);
        for (const [theme, chosen] of Object.entries({ light, dark }) as [
          'light' | 'dark',
          Rules['light'],
        ][]) {
          await page.emulateMedia({ colorScheme: theme });
          if (chosen?.length !== 0)
            expect(await violations(page, chosen), `${at}, ${theme}: axe`).toEqual([]);
          if (!process.env['SCREENS']) continue; // SCREENS=1 make e2e saves screenshots
          const file = `${name} ${theme} ${device} ${width}`.replaceAll(' ', '-');
          await page.screenshot({ path: `../build/screens/${file}.png`, fullPage: true });
        }
      };
      const check = async (name: string) => {
        await checkAt(name, width, rules);
        if (!columned.includes(name)) return;
        for (const wider of further) {
          await page.setViewportSize({ width: wider, height });
          await checkAt(name, wider, { light: layoutRules, dark: colorRules });
        }
        await page.setViewportSize({ width, height });
      };
      /** Opens a page and checks it once its content has loaded. */
      const visit = async (name: string, path: string, ready: Locator) => {
        await page.goto(path);
        await expect(ready.first()).toBeVisible();
        await expect(main.getByRole('status', { name: 'Loading' })).toHaveCount(0);
        await check(name);
      };
      /** Opens a dialog with a button, checks it, and closes it. */
      const open = async (name: string, button: string) => {
        await main.getByRole('button', { name: button, exact: true }).first().click();
        await expect(dialog).toBeVisible();
        await check(name);
        await page.keyboard.press('Escape');
        await expect(dialog).toBeHidden();
      };

      await visit('fleet', '/', main.getByRole('link', { name: rollout.name }));
      await open('new application', 'New application');
      await page.keyboard.press('Control+k');
      await page.keyboard.type(rollout.name.slice(-8));
      await expect(page.getByRole('option', { name: rollout.name }).first()).toBeVisible();
      await check('palette');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await expect(dialog).toBeVisible();
      await check('keys');

      await api.change('updateGroup', {
        id: rollout.groupId,
        expression: "oem != 'none' && arch == 'amd64'",
      });
      await visit('application', application, main.getByRole('heading', { name: 'Expressions' }));
      await main.getByRole('button', { name: 'New group', exact: true }).click();
      await check('new group');
      await dialog.getByLabel('Name', { exact: true }).fill('Canary');
      await dialog.getByLabel('Expression').fill("arch == 'amd64' &&");
      await expect(dialog.getByLabel('Expression')).toHaveAccessibleDescription(
        'Line 1, column 19: the expression is not complete',
      );
      await check('new group with a wrong expression');
      await dialog.getByLabel('Expression').fill("arch == 'amd64'");
      await expect(dialog.getByText(/^True for 50 of 50 machines/)).toBeVisible();
      await dialog.getByText('Names and examples').click();
      await check('new group with an expression');
      await page.keyboard.press('Escape');
      await expect(dialog).toBeHidden();
      await open('new channel', 'New channel');
      await visit('channel', `${application}/channels/${channelId}`, title(/stable/));
      await visit('new package', `${application}/packages/new`, title('New package'));
      await visit('package', `${application}/packages/${packageId}`, title(/Package 2\.0\.0/));
      await visit('edit package', `${application}/packages/${packageId}?edit=1`, title(/Edit package/));

      await visit('group', rollout.path, firstMachine);
      await main.getByRole('button', { name: 'View as table' }).first().click();
      await expect(main.getByRole('region', { name: 'Machines by state, as a table' })).toBeVisible();
      await open('halt', 'Halt');
      await visit('policy', `${rollout.path}/policy`, main.getByText(/rollout would (still )?be/));

      await visit('machines', `${application}/machines`, firstMachine);
      await visit('machine table', `${application}/machines?layout=table`, firstMachine);
      await firstMachine.click();
      await expect(main.getByRole('list', { name: 'Expressions in order of evaluation' })).toBeVisible();
      await check('machine');

      await visit('activity', '/activity', main.getByText(rollout.name));
      await main.getByRole('combobox', { name: 'Kind' }).click();
      await expect(page.getByRole('option', { name: 'Machine failed' })).toBeVisible();
      await check('select');
      await page.keyboard.press('Escape');
      await page.goto(`/audit?application=${rollout.applicationId}`);
      await main.getByText('Initial values').first().click();
      await expect(main.getByRole('row', { name: /policy · / }).first()).toBeVisible();
      await check('audit');
      await api.omaha(rollout.applicationId, `${rollout.track}-typo`);
      await visit('refused', '/refused', main.getByText(`${rollout.track}-typo`));
      await open('new group of a track', 'Make this group…');
      await open('alias', 'Alias to…');
      await visit('settings', '/settings', main.getByText('requests a second'));
      const listening = main.getByText('Waiting for a machine', { exact: false });
      for (const client of ['flatcar', 'program']) {
        const path = `/connect?application=${rollout.applicationId}&client=${client}`;
        await visit(`connect ${client}`, path, listening);
      }
      await visit('storage', '/storage', main.getByRole('heading', { name: 'Downloads now' }));
      await visit('imports', '/imports', title('Imports'));
      await visit('no notifier', '/notifications', main.getByText('There is none yet'));
      await visit('no mirror', '/mirrors', main.getByRole('button', { name: 'Add mirror' }));
      const created = await api.ask<{
        n: { created: { notifier: { id: string } } };
        u: { upstream: { id: string } };
      }>(
        `mutation ($n: CreateNotifierInput!, $u: CreateUpstreamInput!) {
          n: createNotifier(input: $n) { created { notifier { id } } }
          u: createUpstream(input: $u) { upstream { id } } }`,
        {
          n: { name: `Tracker ${rollout.name}`, kind: 'WEBHOOK', url: 'http://127.0.0.1:1/a-long-path/hook' },
          u: { applicationId: rollout.applicationId, name: 'hq', kind: 'OMAHA', url: 'http://127.0.0.1:1/' },
        },
      );
      const notifier = created.n.created.notifier.id;
      const upstream = created.u.upstream.id;
      await api.ask(
        `mutation ($n: ID!, $u: AddUpstreamChannelInput!) {
          testNotifier(input: { id: $n }) { delivery { id } }
          addUpstreamChannel(input: $u) { userErrors { message } } }`,
        { n: notifier, u: { upstreamId: upstream, channelId, mode: 'IMPORT' } },
      );
      await visit('notifications', '/notifications', main.getByText('No connection'));
      const delivery = main.getByRole('region', { name: 'Latest failures' }).getByRole('link');
      await delivery.first().click();
      await expect(main.getByRole('heading', { name: 'Request' })).toBeVisible();
      await check('notifier');
      await visit('mirrors', '/mirrors', main.getByRole('heading', { name: 'hq' }));
      await api.ask(
        `mutation ($n: ID!, $u: ID!) {
          deleteNotifier(input: { id: $n }) { deletedId }
          deleteUpstream(input: { id: $u }) { deletedId } }`,
        { n: notifier, u: upstream },
      );
      await visit('password', '/account/password', title('Change your password'));
      await visit('missing', '/no/such/page', title('Page not found'));

      await page.context().clearCookies();
      await page.goto('/');
      await expect(page.getByLabel('User name')).toBeVisible();
      await check('sign in');

      expect(errors).toEqual([]);
    });
  });
}

test('the theme choice overrides the system and is kept', async ({ dashboard: page }) => {
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await openFleet(page);
  const light = await background();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await expect.poll(background).not.toBe(light);
  const dark = await background();
  await page.reload();
  expect(await background()).toBe(dark);
});

test('the page works with the keyboard alone', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  await page.goto(rollout.path);
  await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
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
  await openFleet(page);
  await page.getByRole('link', { name: 'API' }).click();
  await expect(page).toHaveURL(/\/playground$/);
  const execute = page.getByRole('button', { name: /Execute/ });
  await expect(execute).toBeVisible();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await execute.click();
    await expect(page.getByRole('region', { name: 'Result' }).getByText('"fleet"')).toBeVisible();
    expect(await violations(page), `playground, ${colorScheme}`).toEqual([]);
    for (const panel of ['Documentation Explorer', 'History']) {
      await page.getByRole('button', { name: `Show ${panel}` }).click();
      await expect(page.locator('.graphiql-plugin')).toBeVisible();
      expect(await violations(page), `playground, ${panel}, ${colorScheme}`).toEqual([]);
      await page.getByRole('button', { name: `Hide ${panel}` }).click();
    }
    await page.getByRole('button', { name: 'Open settings dialog' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await violations(page), `playground, settings, ${colorScheme}`).toEqual([]);
    await page.keyboard.press('Escape');
  }
  expect(elsewhere).toEqual([]);
  await page.getByRole('link', { name: 'Back to the dashboard' }).click();
  await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
});

test('the first view loads less than 200 kB of script', async ({ dashboard: page, api }) => {
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

  test('a group can be opened from the menu and paused', async ({ dashboard: page, api }) => {
    const rollout = await api.rollout();
    // On a page of its application the menu shows the group.
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
