import { expect, test } from './support/test.ts';

test('a rollout progresses on the page and can be paused and resumed', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout();
  await page.goto(rollout.path);
  await expect(page.getByText('No machines in this group yet.', { exact: false })).toBeVisible();

  machines(rollout, { machines: 40, versions: '1.0.0' });

  const status = page.getByRole('main').getByRole('status').first();
  const onTarget = page
    .getByRole('main')
    .getByRole('link', { name: /on target/ })
    .first();
  const machinesOnTarget = async () =>
    Number((await onTarget.innerText()).split('\n')[0]?.replaceAll(',', ''));

  await expect(status).toHaveText(/Rolling out/);
  await expect.poll(machinesOnTarget).toBeGreaterThan(0);
  const before = await machinesOnTarget();
  await expect.poll(machinesOnTarget).toBeGreaterThan(before);

  await test.step('pause stops grants and changes the state', async () => {
    await page.getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog', { name: /Pause/ });
    await expect(dialog).toContainText('No machine is granted an update');
    await dialog.getByLabel(/Reason/).fill('mirror overloaded');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await expect(dialog).toBeHidden();
    await expect(status).toHaveText(/Paused/);
    await expect(page.getByText('“mirror overloaded”')).toBeVisible();

    const { granted } = (await api.numbers(rollout.groupId)).funnel;
    // Wait until every waiting machine has been answered with PAUSED.
    await expect
      .poll(
        async () => {
          const { waiting, inFlight, heldByReason } = await api.numbers(rollout.groupId);
          const paused = heldByReason.find(({ reason }) => reason === 'PAUSED')?.machines ?? 0;
          return inFlight === 0 && waiting > 0 && paused === waiting;
        },
        { timeout: 30_000 },
      )
      .toBe(true);
    expect((await api.numbers(rollout.groupId)).funnel.granted).toBe(granted);
    await expect(page.getByRole('link', { name: /^Paused/ })).toBeVisible();
  });

  await test.step('resume continues to the end', async () => {
    await page.getByRole('button', { name: 'Resume' }).click();
    const dialog = page.getByRole('dialog', { name: /Resume/ });
    await dialog.getByLabel('Reason').fill('mirror is back');
    await dialog.getByRole('button', { name: 'Resume' }).click();
    await expect(dialog).toBeHidden();
    await expect(status).toHaveText(/Up to date/, { timeout: 90_000 });
    await expect.poll(machinesOnTarget).toBe(40);
  });
});

test('a halt stops the rollout and shows user and reason', async ({ dashboard: page, api, machines }) => {
  const rollout = await api.rollout();
  machines(rollout, { machines: 40, versions: '1.0.0', interval: '90m' });
  await page.goto(rollout.path);
  const status = page.getByRole('main').getByRole('status').first();
  await expect(page.getByRole('button', { name: 'Halt' })).toBeVisible();
  await expect.poll(async () => (await api.numbers(rollout.groupId)).inFlight).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Halt' }).click();
  await page
    .getByRole('dialog')
    .getByLabel(/Reason/)
    .fill('boot loops');
  await page.getByRole('dialog').getByRole('button', { name: 'Halt' }).click();
  await expect(status).toHaveText(/Halted/);
  await expect(page.getByRole('region', { name: /^2\.0\.0 halted .* by admin$/ })).toContainText(
    '“boot loops”',
  );
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Pause' })).toBeHidden();
  // Without failures the link leads to the rollout.
  await page.goto('/');
  const attention = page.getByRole('region', { name: 'Needs attention' });
  const item = attention.getByRole('listitem').filter({ hasText: rollout.name });
  await item.getByRole('link', { name: 'View rollout' }).click();
  await expect(page).toHaveURL(new RegExp(rollout.path));
});

test('a number opens its list of machines, which is kept in the address', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 30, versions: '1.0.0:20,2.0.0:10' });
  await page.goto(rollout.path);
  const list = page.getByRole('region', { name: 'List of machines' });
  await expect(page.getByRole('link', { name: /^20\s*waiting/ })).toBeVisible();

  await page
    .getByRole('link', { name: /waiting/ })
    .first()
    .click();
  await expect(page).toHaveURL(/show=waiting/);
  await expect(page.getByText('20 machines', { exact: true })).toBeVisible();
  await expect(list.getByRole('row')).toHaveCount(21);
  await expect(list.getByRole('cell', { name: '2.0.0' })).toHaveCount(0);

  await page
    .getByRole('list', { name: 'Machines by version' })
    .getByRole('link', { name: /^2\.0\.0/ })
    .click();
  await expect(page).toHaveURL(/version=2\.0\.0/);
  await expect(list.getByRole('row')).toHaveCount(11);

  await page.getByRole('link', { name: /^Paused/ }).click();
  await expect(page).toHaveURL(/reason=PAUSED/);
  await expect(list.getByRole('row')).toHaveCount(21);
  await page.goBack();

  await page.reload();
  await expect(list.getByRole('row')).toHaveCount(11);

  await list.getByRole('link').first().click();
  await expect(page.getByRole('heading', { name: 'History' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Next update check' })).toBeVisible();
  await page.goBack();
  await expect(list.getByRole('row')).toHaveCount(11);
});
