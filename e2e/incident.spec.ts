import { state } from './support/scenarios.ts';
import { colorRules, expect, test, violations } from './support/test.ts';

test('an incident link keeps the state of its time', async ({ dashboard: page, api, machines, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const rollout = await api.rollout({ haltFailureShare: 0.3, haltMinAttempts: 4, maxAttempts: 1 });
  machines(rollout, { machines: 25, versions: '1.0.0', bad: '2.0.0:1' });
  await page.goto(rollout.path);
  await expect(state(page)).toHaveText(/Halted/, { timeout: 90_000 });
  await test.step('failures by attribute lead to their list', async () => {
    const card = page.getByRole('region', { name: 'Failures', exact: true });
    await card.getByRole('link', { name: 'Attribute', exact: true }).click();
    const slice = card.getByRole('link', { name: /^version 1\.0\.0/ });
    await expect(slice).toBeVisible();
    expect(await violations(page), 'failures by attribute: axe').toEqual([]);
    await slice.click();
    await expect(page.getByText('with version=1.0.0')).toBeVisible();
    await page.goto(rollout.path);
  });

  await page.getByRole('button', { name: 'Copy incident link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(link).pathname).toBe(`${rollout.path}/incident`);

  await page.goto(link);
  const then = page.getByRole('region', { name: 'At that time' });
  const now = page.getByRole('region', { name: 'Now' });
  await expect(then).toContainText(/Halted, since .*finished attempts failed/);
  await expect(now).toContainText('2.0.0 halted');
  const who = page.getByRole('region', { name: 'Who did what until then' });
  await expect(who).toContainText('admin created channel stable');
  const failed = await then.getByRole('definition').last().innerText();
  expect(failed).toMatch(/^\d+ × /);

  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    expect(await violations(page, theme === 'dark' ? colorRules : undefined), `${theme}: axe`).toEqual([]);
    if (process.env['SCREENS'])
      await page.screenshot({ path: `../build/screens/incident-${theme}.png`, fullPage: true });
  }

  await page.getByRole('button', { name: 'Copy as text' }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/: halted since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n/);
  expect(text.split('\n').at(-1)).toBe(link);

  await test.step('what happens later is shown as of now only', async () => {
    await api.change('resumeUpdates', { groupId: rollout.groupId, reason: 'try again' });
    await page.reload();
    await expect(now).not.toContainText('halted');
    await expect(then).toContainText('Halted, since');
    await expect(who).not.toContainText('resumed');
    expect(await then.getByRole('definition').last().innerText()).toBe(failed);
  });

  await test.step('an address without a time says what it needs', async () => {
    await page.goto(link.replace(/&at=.*/, '&at=yesterday'));
    await expect(page.getByRole('alert')).toContainText('needs a rollout and a time');
  });
});
