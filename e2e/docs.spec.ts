import { colorRules, expect, test, violations } from './support/test.ts';

const shapes = { desk: { width: 1280, height: 900 }, phone: { width: 360, height: 780 } };

for (const [name, viewport] of Object.entries(shapes)) {
  test.describe(name, () => {
    test.use({ viewport });

    test('the documentation is accessible in both themes and fits', async ({ page }) => {
      const errors: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      for (const path of ['/docs/', '/docs/connect', '/docs/security', '/docs/adr/0001-pure-engine']) {
        await page.goto(path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(beyond, `${path}: horizontal scroll`).toBeLessThanOrEqual(0);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          const rules = colorScheme === 'light' ? undefined : colorRules;
          expect(await violations(page, rules), `${path}, ${colorScheme}: axe`).toEqual([]);
        }
      }
      expect(errors).toEqual([]);
    });
  });
}

test('the search of the documentation finds a section by keyboard', async ({ page }) => {
  await page.goto('/docs/');
  await page.keyboard.press('/');
  await page.getByRole('combobox', { name: 'Search' }).fill('reboot slot');
  await expect(page.getByRole('option').first()).toContainText('Reboot slots');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/docs\/reboots#/);
});

test('every link inside the documentation leads to a page and a heading', async ({ page, request }) => {
  await page.goto('/docs/');
  const menu = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
  const pages = await menu.evaluateAll((links) => links.map((a) => (a as HTMLAnchorElement).pathname));
  expect(pages.length).toBeGreaterThan(20);
  const texts = new Map<string, string>();
  const read = async (path: string) => {
    const known = texts.get(path);
    if (known !== undefined) return known;
    const response = await request.get(path);
    expect(response.status(), path).toBe(200);
    const text = await response.text();
    texts.set(path, text);
    return text;
  };
  for (const path of [...pages]) {
    for (const [, href = ''] of (await read(path)).matchAll(/<a [^>]*href="(\/docs[^"]*|#[^"]*)"/g)) {
      const url = new URL(href, `http://host${path}`);
      const target = await read(url.pathname);
      if (url.hash) expect(target, `${path} links to ${href}`).toContain(`id="${url.hash.slice(1)}"`);
    }
  }
});
