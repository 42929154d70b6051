import { randomUUID } from 'node:crypto';
import { colorRules, expect, test, violations } from './support/test.ts';

// A color that is still changing with the theme has too little contrast.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

test('an expression is checked and previewed in the dialog, moves its machines, and the machine page explains', async ({
  dashboard: page,
  api,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  // The ids are unique: machine ids are shared by the tests of a server.
  const machines = ['azure', 'azure', 'azure', 'gce'].map((oem) => ({ oem, id: randomUUID() }));
  const check = (index: number, oem = machines[index]?.oem ?? '') =>
    api.post(`<request protocol="3.0"><app appid="${rollout.applicationId}" version="1.0.0" track="${rollout.track}"
      machineid="${machines[index]?.id}" oem="${oem}" board="amd64-usr"><updatecheck/></app></request>`);
  for (const index of machines.keys()) await check(index);
  await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(4);

  const main = page.getByRole('main');
  const dialog = page.getByRole('dialog');
  const expression = dialog.getByLabel('Expression');
  const preview = dialog.getByRole('region', { name: 'Preview' });
  await page.goto(`/apps/${rollout.applicationId}`);
  await main.getByRole('button', { name: 'New group' }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Azure');

  await test.step('a wrong expression shows the error at the field, with its place', async () => {
    await expression.fill("oem == 'azure' && omm == 'x'");
    await expect(expression).toHaveAccessibleDescription(/^Line 1, column 19: There is no 'omm'/i);
    await dialog.getByRole('button', { name: 'Create group' }).click();
    await expect(dialog).toBeVisible();
    await expect(expression).toHaveAttribute('aria-invalid', 'true');
    await expect(preview).toBeHidden();
  });

  await test.step('the preview names the machines, and the button their number', async () => {
    await expression.fill("oem == 'azure'");
    await expect(preview.getByText('Moves 3 machines.')).toBeVisible();
    await expect(preview.getByText(/True for 3 of 4 machines · 3 join Azure · 0 leave it/)).toBeVisible();
    await expect(preview.getByText(`3 from ${rollout.name} to Azure`)).toBeVisible();
    await expect(preview.getByRole('link')).toHaveCount(3);
    expect(await violations(page)).toEqual([]);
    const sample = page.context().waitForEvent('page');
    await preview.getByRole('link').first().click();
    const opened = await sample;
    await expect(opened.getByRole('heading', { name: 'Next update check' })).toBeVisible();
    await opened.close();
  });

  await test.step('what happens is what the preview showed', async () => {
    await dialog.getByRole('button', { name: 'Create group, move 3 machines' }).click();
    await expect(main.getByRole('heading', { level: 1, name: 'Azure' })).toBeVisible();
    await expect(main.getByText('Priority 0, the only expression for amd64')).toBeVisible();
    const groupId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    await expect.poll(async () => (await api.numbers(groupId)).total).toBe(3);
    expect((await api.numbers(rollout.groupId)).total).toBe(1);
  });

  await test.step('the machine page explains', async () => {
    const list = main.getByRole('region', { name: 'List of machines' });
    await list.getByRole('link').first().click();
    const explained = page.getByRole('list', { name: 'Expressions in order of evaluation' });
    await expect(main.getByText('The expression of group Azure is true')).toBeVisible();
    await expect(explained.getByText(/oem is 'azure'/)).toBeVisible();
    await expect(explained.getByRole('listitem').first()).toContainText('true');
  });

  await test.step('machines are counted by an attribute, with a link to each list', async () => {
    await page.goto(`/apps/${rollout.applicationId}/machines`);
    await main.getByRole('button', { name: 'Count by…' }).click();
    const values = dialog.getByRole('list', { name: 'Machines by value' });
    await expect(values.getByRole('listitem')).toHaveText([
      /azure\s*3\s*0 % on target/,
      /gce\s*1\s*0 % on target/,
    ]);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page, colorRules)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await values.getByRole('link', { name: 'gce' }).click();
    await expect(page).toHaveURL(/oem=gce/);
    await expect(main.getByText('1 machine', { exact: true })).toBeVisible();
  });

  await test.step('the application lists the expressions, and another priority and expression can be saved', async () => {
    await page.goto(`/apps/${rollout.applicationId}`);
    await expect(main.getByRole('heading', { name: 'Expressions' })).toBeVisible();
    await main.getByRole('button', { name: 'Actions of Azure' }).click();
    await page.getByRole('menuitem', { name: 'Edit…' }).click();
    await expect(expression).toHaveValue("oem == 'azure'");
    await expression.fill("oem == 'gce'");
    await expect(preview.getByText('Moves 4 machines.')).toBeVisible();
    await dialog.getByLabel('Priority').fill('7');
    await dialog.getByRole('button', { name: 'Save, move 4 machines' }).click();
    await expect(dialog).toBeHidden();
    await expect(main.getByText('amd64, priority 7')).toBeVisible();
    await expect(main.getByText('Expressions were applied: 4 machines looked at, 4 moved.')).toBeVisible();
    expect((await api.numbers(rollout.groupId)).total).toBe(3);
  });
});
