import type { Page } from '@playwright/test';
import { expect, test, violations } from './support/test.ts';

/** Chooses an action in the machine's menu and returns its dialog. */
async function openAction(page: Page, what: RegExp) {
  await page.getByRole('button', { name: 'Actions' }).click();
  await page.getByRole('menuitem', { name: what }).click();
  return page.getByRole('dialog');
}

test('the machine page explains a hold, and overrides work', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  // It asks only when the test says so: else it could update while the group is not paused,
  // and another rule would hold it from then on.
  const asks = () => api.omaha(rollout.applicationId, rollout.track);
  await asks();
  await expect.poll(async () => (await api.numbers(rollout.groupId)).waiting).toBe(1);
  await page.goto(`${rollout.path}?show=waiting`);
  await page.getByRole('region', { name: 'List of machines' }).getByRole('link').first().click();

  const rules = page.getByRole('list', { name: 'Rules in order of evaluation' });
  await test.step('the rules show the deciding one and its inputs', async () => {
    await expect(rules.getByRole('listitem').filter({ hasText: /^\s*Pause\s*decides/ })).toBeVisible();
    await expect(rules.getByRole('listitem').filter({ hasText: /^\s*Version\s*passed/ })).toContainText(
      'runs 1.0.0, the target is 2.0.0',
    );
    await expect(rules.getByRole('listitem').filter({ hasText: /^\s*Grant\s*not reached/ })).toBeVisible();
    await expect(page.getByText(/^Runs\s+1\.0\.0,\s+seen/)).toBeVisible();
  });

  await test.step('the answer follows the group at once', async () => {
    const pause = rules.getByRole('listitem').filter({ hasText: /^\s*Pause/ });
    for (const [verb, outcome] of [
      ['resumeUpdates', /^\s*Pause\s*passed/],
      ['pauseUpdates', /^\s*Pause\s*decides/],
    ] as const) {
      await api.ask(`mutation ($id: ID!) { ${verb}(input: { groupId: $id }) { userErrors { message } } }`, {
        id: rollout.groupId,
      });
      await expect(pause).toHaveText(outcome, { timeout: 5_000 }); // it is also read every 10 s
    }
  });

  await test.step('hold for a week, with user, end and reason', async () => {
    const dialog = await openAction(page, /^Hold/);
    await expect(dialog.getByLabel('Reason (required)')).toBeFocused();
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await expect(dialog.getByText(/Enter a reason/)).toBeVisible();
    await dialog.getByLabel('Reason').fill('database on it');
    await dialog.getByRole('combobox', { name: 'Duration' }).click();
    await page.getByRole('option', { name: 'For 1 week' }).click();
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await expect(dialog).toBeHidden();
    await expect(
      page.getByRole('note').filter({ hasText: /Held by admin until .+ left\): “database on it”/ }),
    ).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: 'Held' })).toBeVisible();
    await expect(rules.getByRole('listitem').filter({ hasText: /^\s*Hold\s*decides/ })).toBeVisible();
    await expect(page.getByText(/Can change in 6 d/)).toBeVisible();
  });

  await test.step('a past time is rejected at the field', async () => {
    const dialog = await openAction(page, /^Hold/);
    await dialog.getByLabel('Reason').fill('too late');
    await dialog.getByRole('combobox', { name: 'Duration' }).click();
    await page.getByRole('option', { name: /Until a time/ }).click();
    await dialog.getByLabel('Until').fill('2020-01-01T12:00');
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await expect(dialog.getByLabel('Until')).toHaveAccessibleDescription('Enter a time in the future.');
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  await test.step('release', async () => {
    await page
      .getByRole('note')
      .filter({ hasText: 'Held by admin' })
      .getByRole('button', { name: 'Release' })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await expect(page.getByRole('note').filter({ hasText: 'Held by admin' })).toBeHidden();
    await expect(rules.getByRole('listitem').filter({ hasText: /^\s*Pause\s*decides/ })).toBeVisible();
  });

  await test.step('pin: an invalid version is rejected at the field', async () => {
    const dialog = await openAction(page, /^Pin/);
    await dialog.getByLabel('Maximum version').fill('latest');
    await dialog.getByLabel('Reason').fill('driver breaks');
    await dialog.getByRole('button', { name: 'Pin' }).click();
    await expect(dialog.getByLabel('Maximum version')).toHaveAccessibleDescription(
      /is not a semantic version/,
    );
    await dialog.getByLabel('Maximum version').fill('1.0.0');
    await dialog.getByRole('button', { name: 'Pin' }).click();
    await expect(dialog).toBeHidden();
    await expect(
      page.getByRole('note').filter({ hasText: /Pinned to 1\.0\.0 by admin.+“driver breaks”/ }),
    ).toBeVisible();
  });

  await test.step('the list of overridden machines contains it', async () => {
    const listed = await api.ask<{ instances: { totalCount: number } }>(
      'query ($g: ID!) { instances(filter: { groupId: $g, countedAs: [OVERRIDDEN] }) { totalCount } }',
      { g: rollout.groupId },
    );
    expect(listed.instances.totalCount).toBe(1);
  });

  await test.step('forget: its page leads back to the list; when it asks again, it is a new machine', async () => {
    const enroll = await openAction(page, /^Enroll/);
    await enroll.getByRole('button', { name: 'Enroll' }).click();
    await expect(page.getByText(', enrolled')).toBeVisible();
    const dialog = await openAction(page, /^Forget/);
    await dialog.getByLabel('Reason').fill('made up');
    await dialog.getByRole('button', { name: 'Forget' }).click();
    await expect(page).toHaveURL(/\/machines\?group=/);
    const listed = async () => {
      const { instances } = await api.ask<{ instances: { nodes: { enrolled: boolean }[] } }>(
        'query ($g: ID!) { instances(filter: { groupId: $g }) { nodes { enrolled } } }',
        { g: rollout.groupId },
      );
      return instances.nodes;
    };
    expect(await listed()).toEqual([]);
    await asks();
    await expect.poll(listed).toEqual([{ enrolled: false }]);
  });
});

test('a machine is named and moved without reloading its page', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout();
  const name = `Canary ${rollout.name}`;
  await api.ask(
    `mutation ($input: CreateGroupInput!) { createGroup(input: $input) { userErrors { message } } }`,
    { input: { applicationId: rollout.applicationId, name, track: `other-${rollout.track}` } },
  );
  machines(rollout, { machines: 1, versions: '1.0.0' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).onTarget).toBe(1);
  await page.goto(rollout.path);
  await page.getByRole('region', { name: 'List of machines' }).getByRole('link').first().click();

  await test.step('the attempt shows the duration of each step', async () => {
    const attempts = page.getByRole('region', { name: 'Attempts' });
    await expect(attempts.getByText('1.0.0 → 2.0.0')).toBeVisible();
    await expect(attempts.getByText('Updated', { exact: true })).toBeVisible();
    await expect(attempts.getByRole('list', { name: 'Steps' }).getByRole('listitem').first()).toHaveText(
      /offered \d+ s/,
    );
    await expect(page.getByRole('region', { name: 'History' })).toContainText('Downloaded 2.0.0');
  });

  await test.step('its activity is linked', async () => {
    await page.getByRole('region', { name: 'Attempts' }).getByRole('link', { name: 'Activity' }).click();
    await expect(page).toHaveURL(new RegExp(`/activity\\?application=${rollout.applicationId}&machine=`));
    await expect(page.getByText('No matching activity.', { exact: false })).toBeVisible();
    await page.goBack();
  });

  await test.step('the alias is edited in place', async () => {
    await page.getByRole('button', { name: /Rename|Set alias/ }).click();
    await page.getByLabel('Alias').fill('x'.repeat(300));
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByLabel('Alias')).toHaveAttribute('aria-invalid', 'true');
    await page.getByLabel('Alias').fill('web-0412');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'web-0412' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Rename' })).toBeFocused();
    await expect(page).toHaveTitle(/web-0412/);
  });

  await test.step('move to another group and back to that of its track', async () => {
    let dialog = await openAction(page, /^Move/);
    await dialog.getByLabel('Reason').fill('try it first here');
    await dialog.getByRole('button', { name: 'Move' }).click();
    await expect(dialog.getByText('Choose a group.')).toBeVisible();
    await dialog.getByRole('combobox', { name: 'To group' }).click();
    await page.getByRole('option', { name }).click();
    await dialog.getByRole('button', { name: 'Move' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText(`Moved to ${name} by a user`, { exact: false })).toBeVisible();
    await expect(page.getByRole('main').getByRole('link', { name, exact: true })).toBeVisible();

    dialog = await openAction(page, /^Move/);
    await dialog.getByRole('combobox', { name: 'To group' }).click();
    await page.getByRole('option', { name: /group of its track/ }).click();
    await dialog.getByLabel('Reason').fill('tried');
    await dialog.getByRole('button', { name: 'Move' }).click();
    await expect(page.getByText('by a user. The track it sends is ignored', { exact: false })).toBeHidden();
  });
  expect(await violations(page)).toEqual([]);
});
