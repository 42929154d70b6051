import { Api } from './support/api.ts';
import { Server } from './support/server.ts';
import { expect, signIn, test as base } from './support/test.ts';

// A server of its own: this one is killed.
const test = base.extend<{ mortal: Server }>({
  mortal: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.remove();
  },
  baseURL: async ({ mortal }, use) => use(mortal.url),
});

test('a killed server is shown as lost, and the page is whole again after its restart', async ({
  page,
  mortal,
}) => {
  const api = new Api(mortal.url);
  const rollout = await api.rollout({ updatesEnabled: false });
  await signIn(page);
  // No machine has asked yet: the first page teaches what to do.
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
  // What was known stays on the screen.
  await expect(title).toBeVisible();

  await mortal.run();
  await api.ask(
    `mutation ($id: ID!) { updateGroup(input: { id: $id, name: "Renamed meanwhile" }) { userErrors { message } } }`,
    { id: rollout.groupId },
  );
  await expect(badge).toHaveText('Live');
  await expect(page.getByRole('heading', { level: 1, name: 'Renamed meanwhile' })).toBeVisible();
});
