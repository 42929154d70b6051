import { colorRules, expect, test, violations } from './support/test.ts';

// Alone, because the wall shows the groups of all applications, and of many only the first.
test.use({ deployment: 'a server alone', viewport: { width: 1920, height: 1080 } });

test('the wall shows a halt first, in large text, and says when it is stale', async ({
  dashboard: page,
  api,
  machines,
  context,
}) => {
  const rollout = await api.rollout({ haltFailureShare: 0.3, haltMinAttempts: 4, maxAttempts: 1 });
  const other = await api.rollout();
  await page.goto('/?wall');
  const icon = page.locator('link[rel="icon"]');
  await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
  machines(rollout, { machines: 25, versions: '1.0.0', bad: '2.0.0:1' });
  const first = page.getByRole('listitem').first();
  await expect(first).toContainText('Halted', { timeout: 90_000 });
  await expect(first).toContainText(/of \d+ failed/);
  await expect(page).toHaveTitle('1 group halted · Fleet · CoreRoller');
  await expect(icon).toHaveAttribute('href', /favicon-halted\.svg$/);
  await expect(page.getByRole('navigation')).toHaveCount(0);

  const smallest = await page.evaluate(() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let size = Infinity;
    while (texts.nextNode()) {
      const parent = texts.currentNode.parentElement;
      if (!texts.currentNode.textContent?.trim() || !parent?.checkVisibility()) continue;
      size = Math.min(size, parseFloat(getComputedStyle(parent).fontSize));
    }
    return size;
  });
  expect(smallest).toBeGreaterThanOrEqual(28);

  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    expect(await violations(page, theme === 'dark' ? colorRules : undefined), `${theme}: axe`).toEqual([]);
    if (process.env['SCREENS']) await page.screenshot({ path: `../build/screens/wall-${theme}.png` });
  }

  await test.step('a wall of one group shows only that group', async () => {
    await page.goto(`${rollout.path}?wall`);
    await expect(page.getByRole('listitem')).toHaveCount(1);
    await expect(page.getByRole('heading', { name: rollout.name, level: 1 })).toBeVisible();
    await expect(page.getByText(other.name)).toHaveCount(0);
  });

  await test.step('without a connection the clock shows the time of the data', async () => {
    await context.setOffline(true);
    await expect(page.getByRole('status')).toContainText('as of, not live', { timeout: 40_000 });
    await context.setOffline(false);
    await expect(page.getByRole('status')).toHaveText('live');
  });
});
