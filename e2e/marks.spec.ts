import { colorRules, expect, test, violations } from './support/test.ts';

// A color that is still changing with the theme has too little contrast.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

test('changes by people are marks on the charts and lead to the activity', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 4, versions: '1.0.0', interval: '30m' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).waiting).toBe(4);
  await page.goto(rollout.path);
  const chart = page.getByRole('toolbar', { name: 'Changes in Machines by state' });
  // The chart begins when the page has its first numbers.
  await expect(page.getByRole('slider', { name: /^Machines by state/ })).toHaveAttribute(
    'aria-valuetext',
    /waiting 4/,
  );
  await api.ask(
    `mutation ($f: InstanceFilter!) { startMachineJob(input: { filter: $f, action: { kind: HOLD }, reason: "rack 7" }) { userErrors { message } } }`,
    { f: { groupId: rollout.groupId } },
  );
  const mark = chart.getByRole('button', { name: /machines held · admin/ });
  await expect(mark).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('toolbar', { name: 'Changes in Grants against the cap' })).toBeVisible();
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    expect(await violations(page, theme === 'dark' ? colorRules : undefined), `${theme}: axe`).toEqual([]);
    if (process.env['SCREENS'])
      await page.screenshot({ path: `../build/screens/marks-${theme}.png`, fullPage: true });
  }

  await mark.focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  const held = dialog.getByRole('listitem').filter({ hasText: '4 machines held by admin: rack 7' });
  await expect(held).toBeVisible();
  expect(await violations(page)).toEqual([]);
  if (process.env['SCREENS']) await page.screenshot({ path: '../build/screens/marks-dialog.png' });
  await page.keyboard.press('Escape');
  await expect(mark).toBeFocused();

  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await mark.click();
  await held.getByRole('link', { name: /^Activity at/ }).click();
  await expect(page.getByText('Entries until')).toBeVisible();
  await expect(page.getByRole('listitem').first()).toContainText('4 machines held by admin: rack 7');
  await page.getByRole('link', { name: 'Show newer ones' }).click();
  await expect(page.getByText('Entries until')).toBeHidden();
});
