import type { Page } from '@playwright/test';
import { expect, test, violations } from './support/test.ts';

/** Chooses in the menu of the machine and answers the dialog that opens. */
async function decide(page: Page, what: RegExp) {
  await page.getByRole('button', { name: 'Actions' }).click();
  await page.getByRole('menuitem', { name: what }).click();
  return page.getByRole('dialog');
}

test('a machine says why it waits, and a person decides otherwise', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 3, versions: '1.0.0', interval: '30m' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).waiting).toBe(3);
  await page.goto(`${rollout.path}?show=waiting`);
  await page.getByRole('region', { name: 'List of machines' }).getByRole('link').first().click();

  const ladder = page.getByRole('list', { name: 'The rules in the order they are tried' });
  await test.step('the ladder names the rule that decides and what it looked at', async () => {
    await expect(ladder.getByRole('listitem').filter({ hasText: /^\s*Pause\s*decides/ })).toBeVisible();
    await expect(ladder.getByRole('listitem').filter({ hasText: /^\s*Version\s*passed/ })).toContainText(
      'runs 1.0.0, the target is 2.0.0',
    );
    await expect(ladder.getByRole('listitem').filter({ hasText: /^\s*Grant\s*not reached/ })).toBeVisible();
    await expect(page.getByText(/^Runs\s+1\.0\.0, seen/)).toBeVisible();
  });

  await test.step('hold for a week: who, until when and why', async () => {
    const dialog = await decide(page, /^Hold/);
    await expect(dialog.getByLabel('Reason (required)')).toBeFocused();
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await expect(dialog.getByText(/Say why/)).toBeVisible();
    await dialog.getByLabel('Reason').fill('database on it');
    await dialog.getByRole('combobox', { name: 'How long' }).click();
    await page.getByRole('option', { name: 'For 1 week' }).click();
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await expect(dialog).toBeHidden();
    await expect(
      page.getByRole('note').filter({ hasText: /Held by admin until .+ left\): “database on it”/ }),
    ).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: 'Held by a person' })).toBeVisible();
    await expect(ladder.getByRole('listitem').filter({ hasText: /^\s*Hold\s*decides/ })).toBeVisible();
    await expect(page.getByText(/Can change in 6 d/)).toBeVisible();
  });

  await test.step('a moment that has passed is refused next to the field', async () => {
    const dialog = await decide(page, /^Hold/);
    await dialog.getByLabel('Reason').fill('too late');
    await dialog.getByRole('combobox', { name: 'How long' }).click();
    await page.getByRole('option', { name: /Until a moment/ }).click();
    await dialog.getByLabel('Until').fill('2020-01-01T12:00');
    await dialog.getByRole('button', { name: 'Hold' }).click();
    await expect(dialog.getByLabel('Until')).toHaveAccessibleDescription('That moment has passed.');
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
    await expect(ladder.getByRole('listitem').filter({ hasText: /^\s*Pause\s*decides/ })).toBeVisible();
  });

  await test.step('pin: the server refuses what is no version, next to the field', async () => {
    const dialog = await decide(page, /^Pin/);
    await dialog.getByLabel('Nothing above version').fill('latest');
    await dialog.getByLabel('Reason').fill('driver breaks');
    await dialog.getByRole('button', { name: 'Pin' }).click();
    await expect(dialog.getByLabel('Nothing above version')).toHaveAccessibleDescription(
      /is not a semantic version/,
    );
    await dialog.getByLabel('Nothing above version').fill('1.0.0');
    await dialog.getByRole('button', { name: 'Pin' }).click();
    await expect(dialog).toBeHidden();
    await expect(
      page.getByRole('note').filter({ hasText: /Pinned to 1\.0\.0 by admin.+“driver breaks”/ }),
    ).toBeVisible();
  });

  await test.step('the list of whom people decided about has it, with every other list without it', async () => {
    const listed = await api.ask<{ instances: { totalCount: number } }>(
      'query ($g: ID!) { instances(filter: { groupId: $g, countedAs: [OVERRIDDEN] }) { totalCount } }',
      { g: rollout.groupId },
    );
    expect(listed.instances.totalCount).toBe(1);
  });
});

test('a machine is named and moved, and its page follows without reload', async ({
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

  await test.step('its attempt is drawn with what each step took', async () => {
    const attempts = page.getByRole('region', { name: 'Attempts' });
    await expect(attempts.getByText('1.0.0 → 2.0.0')).toBeVisible();
    await expect(attempts.getByText('Updated', { exact: true })).toBeVisible();
    await expect(attempts.getByRole('list', { name: 'Steps' }).getByRole('listitem').first()).toHaveText(
      /offered \d+ s/,
    );
    await expect(page.getByRole('region', { name: 'History' })).toContainText('Downloaded 2.0.0');
  });

  await test.step('alias, edited in place', async () => {
    await page.getByRole('button', { name: /Rename|Name this machine/ }).click();
    await page.getByLabel('Alias').fill('x'.repeat(300));
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByLabel('Alias')).toHaveAttribute('aria-invalid', 'true');
    await page.getByLabel('Alias').fill('web-0412');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'web-0412' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Rename' })).toBeFocused();
    await expect(page).toHaveTitle(/web-0412/);
  });

  await test.step('move to another group and back to the one of its track', async () => {
    let dialog = await decide(page, /^Move/);
    await dialog.getByLabel('Reason').fill('try it first here');
    await dialog.getByRole('button', { name: 'Move' }).click();
    await expect(dialog.getByText('Choose a group.')).toBeVisible();
    await dialog.getByRole('combobox', { name: 'To group' }).click();
    await page.getByRole('option', { name }).click();
    await dialog.getByRole('button', { name: 'Move' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText(`A person put it into ${name}`, { exact: false })).toBeVisible();
    await expect(page.getByRole('main').getByRole('link', { name, exact: true })).toBeVisible();

    dialog = await decide(page, /^Move/);
    await dialog.getByRole('combobox', { name: 'To group' }).click();
    await page.getByRole('option', { name: /whose track it names/ }).click();
    await dialog.getByLabel('Reason').fill('tried');
    await dialog.getByRole('button', { name: 'Move' }).click();
    await expect(page.getByText('A person put it into', { exact: false })).toBeHidden();
  });
  expect(await violations(page)).toEqual([]);
});
