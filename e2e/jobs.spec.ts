import { colorRules, expect, test, violations } from './support/test.ts';

// A color that is still changing with the theme has too little contrast.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

const phone = { width: 390, height: 844 };

test('a job holds the machines of a filter and shows each result', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 12, versions: '1.0.0', interval: '30m' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).waiting).toBe(12);
  await page.goto(`${rollout.path}?layout=table`);
  const list = page.getByRole('region', { name: 'List of machines' });
  const bar = page.getByRole('group', { name: 'Selected machines' });
  const dialog = page.getByRole('dialog');

  await test.step('two chosen machines are held', async () => {
    for (const row of [1, 2]) await list.getByRole('row').nth(row).getByRole('checkbox').check();
    await expect(bar.getByRole('status')).toHaveText('2 machines selected');
    await bar.getByRole('button', { name: 'Hold…' }).click();
    await expect(dialog.getByRole('heading', { name: 'Hold 2 machines' })).toBeVisible();
    await expect(dialog.getByRole('region', { name: 'What happens' })).toContainText(/2\s*are held at once/);
    await dialog.getByRole('button', { name: 'Hold 2 machines' }).click();
    await expect(dialog.getByText('Enter a reason.')).toBeVisible();
    await dialog.getByLabel('Reason').fill('rack 7');
    await dialog.getByRole('button', { name: 'Hold 2 machines' }).click();
    await expect(page.getByRole('heading', { name: 'Hold 2 machines' })).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: 'Finished' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Held 2' })).toBeVisible();
  });

  await test.step('the filter is the selection, and what is held already is skipped', async () => {
    await page.goto(`${rollout.path}?layout=table`);
    await list.getByRole('checkbox', { name: 'Select all machines that match' }).check();
    await expect(bar.getByRole('status')).toHaveText('All 12 that match the filter are selected');
    expect(await violations(page)).toEqual([]);
    await bar.getByRole('button', { name: 'Hold…' }).click();
    const what = dialog.getByRole('region', { name: 'What happens' });
    await expect(what).toContainText(/10\s*are held at once/);
    await expect(what).toContainText(/2\s*are held or pinned already, skipped/);
    await dialog.getByLabel('Reason').fill('maintenance');
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page, colorRules)).toEqual([]);
    await dialog.getByRole('button', { name: 'Hold 10 machines' }).click();
  });

  const results = page.getByRole('region', { name: 'Machines of the job' });
  await test.step('the job has a page, with a list for each result', async () => {
    await expect(page.getByRole('heading', { name: 'Hold 12 machines' })).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: 'Finished' })).toBeVisible();
    await expect(results.getByRole('row')).toHaveCount(13);
    await page.getByRole('link', { name: 'Skipped 2' }).click();
    await expect(page).toHaveURL(/result=SKIPPED/);
    await expect(results.getByRole('row')).toHaveCount(3);
    await expect(results).toContainText('already held by admin until');
    expect(await violations(page, colorRules)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await violations(page)).toEqual([]);
  });

  await test.step('on a phone nothing is cut off', async () => {
    await page.setViewportSize(phone);
    await expect(results).toContainText('already held by admin until');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(phone.width);
    expect(await violations(page)).toEqual([]);
    await page.goto(`${rollout.path}?layout=table&show=overridden`);
    await list.getByRole('checkbox', { name: 'Select all machines that match' }).check();
    await expect(bar.getByRole('status')).toHaveText('All 12 that match the filter are selected');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(phone.width);
    expect(await violations(page)).toEqual([]);
  });

  await test.step('a pin needs a version', async () => {
    await bar.getByRole('button', { name: 'Pin…' }).click();
    await dialog.getByLabel('Maximum version').fill('newest');
    await expect(dialog.getByRole('alert')).toContainText('"newest" is not a version');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  await test.step('the holds are released, and the jobs are listed', async () => {
    await bar.getByRole('button', { name: 'Release…' }).click();
    await dialog.getByLabel('Reason').fill('done');
    await dialog.getByRole('button', { name: 'Release 12 machines' }).click();
    await expect(page.getByRole('link', { name: 'Released 12' })).toBeVisible();
    await page.goto('/machines/jobs');
    await expect(page.getByRole('listitem').filter({ hasText: rollout.name })).toHaveCount(3);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(phone.width);
    expect(await violations(page)).toEqual([]);
  });
});

test('a machine that fails is retried on the page of its job', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  const machineIds = ['not-seen-yet', 'nor-this-one'];
  await api.ask(
    `mutation ($a: ID!, $m: [String!]!) { enrollInstances(input: { applicationId: $a, machineIds: $m }) { userErrors { message } } }`,
    { a: rollout.applicationId, m: machineIds },
  );
  const { startMachineJob } = await api.ask<{ startMachineJob: { job: { id: string } } }>(
    `mutation ($a: ID!) { startMachineJob(input: { filter: { applicationId: $a }, action: { kind: HOLD } }) { job { id } } }`,
    { a: rollout.applicationId },
  );
  await page.goto(`/machines/jobs/${startMachineJob.job.id}`);
  const results = page.getByRole('region', { name: 'Machines of the job' });
  await expect(page.getByRole('link', { name: 'Failed 2' })).toBeVisible();
  await expect(results).toContainText('the machine is in no group until it checks in again');
  expect(await violations(page)).toEqual([]);
  await api.omaha(rollout.applicationId, rollout.track);
  await api.ask(
    `mutation ($a: ID!) { forgetInstances(input: { filter: { applicationId: $a, search: "nor-" } }) { userErrors { message } } }`,
    { a: rollout.applicationId },
  );
  await results.getByRole('button', { name: 'Retry nor-this-one' }).click();
  await expect(page.getByRole('link', { name: 'Failed 1' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Skipped 1' })).toBeVisible();
  await page.getByRole('button', { name: 'Retry 1 failed' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Finished' })).toBeVisible();
});
