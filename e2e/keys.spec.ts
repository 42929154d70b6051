import type { Page } from '@playwright/test';
import { expect, openFleet, test, violations } from './support/test.ts';

const palette = (page: Page) => page.getByRole('dialog', { name: 'Command palette' });

async function find(page: Page, text: string) {
  await page.keyboard.press('Control+k');
  await expect(palette(page).getByRole('combobox')).toBeFocused();
  await page.keyboard.type(text);
}

test('g and a letter go to a page, g and a digit to an application', async ({ dashboard: page, api }) => {
  await api.rollout();
  await openFleet(page);
  for (const [letter, title, path] of [
    ['m', 'Machines', '/machines'],
    ['a', 'Activity', '/activity'],
    ['u', 'Audit', '/audit'],
    ['s', 'Settings', '/settings'],
    ['f', 'Fleet', '/'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    expect(new URL(page.url()).pathname).toBe(path);
    // The menu marks the current page.
    if (letter !== 'f')
      await expect(
        page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: title }),
      ).toHaveAttribute('aria-current', 'page');
  }
  const { applications } = await api.ask<{ applications: { id: string }[] }>('{ applications { id } }');
  await page.keyboard.press('g');
  await page.keyboard.press('2');
  await expect(page).toHaveURL(new RegExp(`/apps/${applications[1]?.id}$`));

  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await expect(page.getByRole('button', { name: /Execute/ })).toBeVisible();
});

test('? opens the list of shortcuts, and Escape closes it', async ({ dashboard: page }) => {
  await openFleet(page);
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(help).toBeVisible();
  for (const line of [
    'Open the command palette',
    'Machines',
    'Audit',
    'Freeze or follow the activity',
    'Next row',
  ])
    await expect(help.getByText(line, { exact: false })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  // The page behind the dialog gets no shortcuts.
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  expect(new URL(page.url()).pathname).toBe('/');

  // Also without the keyboard.
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await expect(help).toBeVisible();
  await help.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('button', { name: 'Keyboard shortcuts' })).toBeFocused();
});

test('the palette finds groups, channels, packages, machines and actions', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 3, versions: '1.0.0' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(3);

  await test.step('a group by its name', async () => {
    await openFleet(page);
    await find(page, rollout.name);
    await expect(palette(page).getByRole('option', { selected: true })).toContainText(rollout.name);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(new RegExp(`${rollout.path}$`));
    await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
  });

  await test.step('actions on the group of the current page', async () => {
    await page.keyboard.press('Control+k');
    await expect(palette(page).getByRole('option', { name: /Resume/ })).toBeVisible();
    await expect(palette(page).getByRole('option', { name: 'Edit policy' })).toBeVisible();
    await page.keyboard.type('resume');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name: `Resume ${rollout.name}` })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  });

  await test.step('a machine by id and by address', async () => {
    const { instances } = await api.ask<{
      instances: {
        nodes: { id: string; machineId: string; address: string; application: { name: string } }[];
      };
    }>(
      `query ($id: ID!) { instances(filter: { groupId: $id }) {
        nodes { id machineId address application { name } } } }`,
      { id: rollout.groupId },
    );
    const [machine] = instances.nodes;
    if (!machine) throw new Error('no machine');
    await find(page, machine.address);
    await expect(
      palette(page).getByRole('group', { name: 'Machines' }).getByRole('option').first(),
    ).toContainText(machine.address);
    await page.keyboard.press('Escape');
    await find(page, machine.machineId);
    // A machine can have several applications.
    const options = palette(page).getByRole('option', { name: machine.machineId });
    await options.filter({ hasText: machine.application.name }).click();
    await expect(page).toHaveURL(new RegExp(`/machines/${machine.id}$`));
  });

  await test.step('a package by its version', async () => {
    await find(page, '2.0');
    await expect(
      palette(page).getByRole('group', { name: 'Packages' }).getByRole('option').first(),
    ).toContainText('2.0.0');
    await page.keyboard.press('Escape');
  });

  await test.step('arrow keys wrap around', async () => {
    await find(page, 'theme');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await expect(palette(page).getByRole('option', { selected: true })).toHaveText('Dark theme');
    await page.keyboard.press('Enter');
    await expect(page.locator(':root')).toHaveAttribute('data-theme', 'dark');
  });

  await test.step('a search without results says so', async () => {
    await find(page, 'no such thing at all');
    await expect(palette(page).getByText('No results.', { exact: false })).toBeVisible();
  });
  expect(errors).toEqual([]);
});

test('/ focuses the search field of the page or opens the palette', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  await page.goto('/settings');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('/');
  await expect(palette(page)).toBeVisible();
  await page.keyboard.press('Escape');

  await page.goto(rollout.path);
  await expect(page.getByRole('main').getByRole('searchbox').first()).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('main').getByRole('searchbox').first()).toBeFocused();
  // Shortcuts are off while typing.
  await page.keyboard.type('g?/f');
  await expect(page.getByRole('main').getByRole('searchbox').first()).toHaveValue('g?/f');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('Control+k');
  await expect(palette(page)).toBeVisible();
});

test('keys typed before the palette is loaded go into its search', async ({ dashboard: page, api }) => {
  await api.rollout();
  await page.goto('/');
  await expect(page.getByRole('article').first()).toBeVisible();
  let arrives = () => {};
  const late = new Promise<void>((resolve) => (arrives = resolve));
  await page.route('**/CommandPalette*.js', async (route) => {
    await late;
    await route.continue();
  });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('gms?');
  await page.keyboard.press('Backspace');
  arrives();
  await expect(palette(page).getByRole('combobox')).toHaveValue('gms');
  await page.keyboard.type('x');
  await expect(palette(page).getByRole('combobox')).toHaveValue('gmsx');
  // No shortcut acted on the page behind: g and m would be another page.
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();
});

test('j and k move through rows, Enter opens one', async ({ dashboard: page, api }) => {
  await api.rollout();
  await page.goto('/');
  await expect(page.getByRole('article').first()).toBeVisible();
  const focused = page.getByRole('main').locator(':focus');
  await page.keyboard.press('j');
  const first = await focused.innerText();
  await page.keyboard.press('j');
  await expect(focused).not.toHaveText(first);
  await page.keyboard.press('k');
  await expect(focused).toHaveText(first);
  await page.keyboard.press('Enter');
  await expect(page).not.toHaveURL(/\/$/);
});

test('f freezes the activity and follows it again', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  const pause = (reason: string) =>
    api.ask(
      `mutation ($id: ID!, $reason: String!) { pauseUpdates(input: { groupId: $id, reason: $reason }) { userErrors { message } } }`,
      { id: rollout.groupId, reason },
    );
  await page.goto(`/activity?application=${rollout.applicationId}`);
  const lines = page.getByRole('list', { name: 'Activity, newest first' }).getByRole('listitem');
  await expect(lines).toHaveCount(1);
  await page.keyboard.press('f');
  await expect(page.getByRole('button', { name: 'Follow' })).toBeVisible();
  await pause('mirror overloaded');
  await expect(page.getByRole('button', { name: '1 new' })).toBeVisible();
  await expect(lines).toHaveCount(1);
  await page.keyboard.press('f');
  await expect(lines).toHaveCount(2);
  await expect(lines.first()).toContainText('mirror overloaded');
});
