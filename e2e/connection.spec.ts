import { Api } from './support/api.ts';
import { Server } from './support/server.ts';
import { expect, signIn, test as base, violations } from './support/test.ts';

// A separate server, because the test kills it.
const test = base.extend<{ mortal: Server }>({
  mortal: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.remove();
  },
  baseURL: async ({ mortal }, use) => use(mortal.url),
});

test('the page shows a lost connection and recovers after a restart', async ({ page, mortal }) => {
  const api = new Api(mortal.url);
  const rollout = await api.rollout({ updatesEnabled: false });
  await signIn(page);
  // Without machines the first page shows the next steps.
  await expect(page.getByRole('heading', { name: 'Roll out your first update' })).toBeVisible();
  await page.goto(rollout.path);
  const badge = page
    .getByRole('main')
    .or(page.getByRole('banner'))
    .getByText(/^(Live|Connecting|Connection lost)$/)
    .last();
  await expect(badge).toHaveText('Live');
  const title = page.getByRole('heading', { level: 1, name: rollout.name });
  await expect(title).toBeVisible();

  await mortal.kill();
  await expect(badge).toHaveText('Connection lost');
  // The last data stays on the screen.
  await expect(title).toBeVisible();

  await mortal.run();
  await api.ask(
    `mutation ($id: ID!) { updateGroup(input: { id: $id, name: "Renamed meanwhile" }) { userErrors { message } } }`,
    { id: rollout.groupId },
  );
  await expect(badge).toHaveText('Live');
  await expect(page.getByRole('heading', { level: 1, name: 'Renamed meanwhile' })).toBeVisible();
});

test('a click while the server is away keeps its dialog, and works when the server is back', async ({
  page,
  mortal,
}) => {
  const api = new Api(mortal.url);
  const rollout = await api.rollout();
  await signIn(page);
  await page.goto(rollout.path);
  const lost = page.getByText('Connection lost. Reconnecting…');

  await page.getByRole('main').getByRole('button', { name: 'Pause' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason (optional)').fill('The disk is full');
  await mortal.kill();
  await expect(lost).toBeVisible();
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await expect(dialog.getByRole('alert')).toContainText('cannot be reached; nothing was changed');
  await expect(dialog.getByLabel('Reason (optional)')).toHaveValue('The disk is full');
  expect(await violations(page)).toEqual([]);

  await mortal.run();
  await expect(lost).toBeHidden();
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('status').filter({ hasText: /^Paused/ })).toBeVisible();
});

test('an answer that is lost after sending leaves open whether the change was made', async ({
  page,
  mortal,
}) => {
  const rollout = await new Api(mortal.url).rollout();
  await signIn(page);
  await page.goto(rollout.path);
  await page.route('**/graphql', async (route) => {
    if (!route.request().postData()?.includes('mutation UpdateGroup')) return route.fallback();
    await route.fetch(); // the server makes the change
    await route.abort('connectionreset');
  });
  await page.getByRole('main').getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Renamed without an answer');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toContainText('It is not known whether the change was made');
  await expect(dialog.getByLabel('Name')).toHaveValue('Renamed without an answer');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Renamed without an answer' })).toBeVisible();
});

test('a link and a dialog whose files are not loaded yet wait for the server', async ({ page, mortal }) => {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const rollout = await new Api(mortal.url).rollout();
  await signIn(page);
  await page.goto(rollout.path);
  await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
  await mortal.kill();
  const lost = page.getByText('Connection lost. Reconnecting…');
  await expect(lost).toBeVisible();

  await page.getByRole('main').getByRole('button', { name: 'Edit', exact: true }).click();
  const notice = page
    .getByRole('alert')
    .filter({ hasText: 'This part of the dashboard could not be loaded' });
  await expect(notice).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await mortal.run();
  const dialog = page.getByRole('dialog', { name: `Edit ${rollout.name}` });
  await expect(dialog).toBeVisible();
  // Its style sheet was requested again, too.
  await expect(dialog.locator('form')).toHaveCSS('display', 'grid');
  await page.keyboard.press('Escape');

  await mortal.kill();
  await expect(lost).toBeVisible();
  await page.getByRole('link', { name: 'Edit policy' }).click();
  await expect(page).toHaveURL(/\/policy$/);
  await expect(page.getByRole('heading', { name: 'This page could not be loaded' })).toBeVisible();
  await expect(page.getByText('The page opens when the connection is back.')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await mortal.run();
  await expect(page.getByRole('heading', { level: 1, name: `Policy of ${rollout.name}` })).toBeVisible();
  expect(problems).toEqual([]);
});

test('a file of an older build reloads the page once', async ({ page, mortal }) => {
  const rollout = await new Api(mortal.url).rollout();
  await signIn(page);
  await page.goto(rollout.path);
  let missing = 0;
  await page.route(/assets\/PolicyPage-.*\.js$/, (route) =>
    missing++ === 0 ? route.fulfill({ status: 404, body: '404 page not found' }) : route.continue(),
  );
  await page.getByRole('link', { name: 'Edit policy' }).click();
  await expect(page.getByRole('heading', { level: 1, name: `Policy of ${rollout.name}` })).toBeVisible();
  expect(missing).toBe(2);
});
