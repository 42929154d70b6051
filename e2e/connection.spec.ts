import { Api } from './support/api.ts';
import { Server } from './support/server.ts';
import { expect, signIn, test as base } from './support/test.ts';

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
