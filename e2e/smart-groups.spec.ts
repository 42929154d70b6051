import { colorRules, expect, test, violations } from './support/test.ts';

test.use({ contextOptions: { reducedMotion: 'reduce' } });

const phone = { width: 390, height: 844 };

test('a group by expression shows what it would move, and each machine why it is there', async ({
  dashboard: page,
  api,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  const asks = (machine: string, oem: string) =>
    api.post(`<request protocol="3.0"><app appid="${rollout.applicationId}" version="1.0.0" track="${rollout.track}"
      machineid="${machine}" oem="${oem}" board="amd64-usr"><updatecheck/></app></request>`);
  for (const i of [1, 2, 3]) await asks(`azure-${i}`, 'azure');
  await asks('gce-1', 'gce');
  const application = `/apps/${rollout.applicationId}`;
  const dialog = page.getByRole('dialog');
  const expression = dialog.getByLabel('Expression (optional)');

  await test.step('a mistake is shown at the field, with its place', async () => {
    await page.goto(application);
    await page.getByRole('button', { name: 'New group' }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('Azure');
    await dialog.getByText('Machines by an expression').click();
    await expression.fill("oem = 'azure'");
    await expect(dialog.getByText(/Line 1, column 5: unexpected/)).toBeVisible();
    await expect(expression).toHaveAttribute('aria-invalid', 'true');
    await dialog.getByRole('button', { name: 'Create group' }).click();
    await expect(dialog.getByText(/Line 1, column 5: unexpected/)).toBeVisible();
  });

  await test.step('the preview names the machines before the group exists', async () => {
    await expression.fill("oem == 'azure'");
    await expect(dialog.getByText('When saved: moves 3 machines.')).toBeVisible();
    await expect(dialog.getByRole('listitem').filter({ hasText: '3 machines from' })).toContainText(
      'azure-1',
    );
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page, colorRules)).toEqual([]);
    await page.setViewportSize(phone);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(phone.width);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme: 'light' });
    await dialog.getByRole('button', { name: 'Create group' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Azure' })).toBeVisible();
    await expect(page.getByText("Machines where oem == 'azure', priority 0")).toBeVisible();
  });

  await test.step('the machines move without a check, and the application shows it', async () => {
    await page.goto(application);
    const order = page.getByRole('region', { name: 'Groups by expression' });
    await expect(order.getByRole('listitem')).toHaveText(/1\s*Azure\s*oem == 'azure'\s*amd64 · priority 0/);
    await expect(order).toContainText(/Applied to all machines .*: 4 machines looked at, 3 moved\./);
    expect(await violations(page)).toEqual([]);
  });

  await test.step('a machine shows each comparison with its own value', async () => {
    await page.goto(`${application}/machines?search=azure-1`);
    await page.getByRole('main').getByRole('link', { name: 'azure-1' }).click({ timeout: 10_000 });
    const why = page.getByRole('region', { name: 'Why it is in this group' });
    await expect(why.getByRole('listitem').first()).toContainText(
      /Azure\s*true\s*oem == "azure"\s*true\s*· oem is 'azure'/,
    );
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page, colorRules)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
  });

  await test.step('without its expression the group gives its machines back', async () => {
    await page.goto(application);
    await page.getByRole('link', { name: 'Azure' }).first().click();
    await page.getByRole('button', { name: 'Edit', exact: true }).click();
    await expression.fill('');
    await expect(dialog.getByText('When saved: moves 3 machines.')).toBeVisible();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toBeHidden();
    await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(4);
  });
});
