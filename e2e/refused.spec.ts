import { expect, openFleet, test } from './support/test.ts';

/** The background work writes refused requests every few seconds, and the page reloads
 * them. */
test('a track that no group has becomes a group or an alias', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  const [lost, typo] = [`${rollout.track}-lost`, `${rollout.track}-typo`];
  for (const track of [lost, typo, typo]) {
    expect(await api.omaha(rollout.applicationId, track)).toContain('error-unknownGroup');
  }
  const link = page
    .getByRole('region', { name: 'Needs attention' })
    .getByRole('link', { name: 'View requests' });
  await expect(async () => {
    await openFleet(page);
    await expect(link).toBeVisible({ timeout: 2000 });
  }).toPass();
  await link.click();
  await expect(page.getByRole('heading', { name: 'Refused requests', level: 1 })).toBeVisible();
  const row = (track: string) => page.getByRole('row').filter({ hasText: track });
  await expect(row(typo).getByRole('cell', { name: '2', exact: true })).toBeVisible();
  await expect(row(typo)).toContainText('Unknown track');
  await expect(row(typo).getByRole('link', { name: /^Edge agent/ })).toBeVisible();

  await test.step('the alias serves the machine', async () => {
    await row(typo).getByRole('button', { name: 'Alias to…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add an alias' });
    await dialog.getByRole('button', { name: 'Add alias' }).click();
    await expect(dialog.getByText('Choose a group')).toBeVisible();
    await dialog.getByRole('combobox', { name: 'Group for amd64' }).click();
    await page.getByRole('option', { name: new RegExp(rollout.name) }).click();
    await dialog.getByRole('button', { name: 'Add alias' }).click();
    await expect(dialog).toBeHidden();
    await expect(row(typo).getByRole('link', { name: rollout.name })).toBeVisible();
    await expect(row(typo).getByRole('button')).toHaveCount(0);
    expect(await api.omaha(rollout.applicationId, typo)).toContain('<manifest version="2.0.0">');
  });

  await test.step('the group serves the machine', async () => {
    await row(lost).getByRole('button', { name: 'Make this group…' }).click();
    const dialog = page.getByRole('dialog', { name: 'New group' });
    await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue(lost);
    await expect(dialog.getByLabel(/^Track/)).toHaveValue(lost);
    await dialog.getByRole('combobox', { name: 'Channel' }).click();
    await page.getByRole('option', { name: /^stable/ }).click();
    await dialog.getByRole('button', { name: 'Create group' }).click();
    await expect(page.getByRole('heading', { name: lost, level: 1 })).toBeVisible();
    expect(await api.omaha(rollout.applicationId, lost)).toContain('<manifest version="2.0.0">');
  });
});
