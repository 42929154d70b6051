import type { Page } from '@playwright/test';
import { expect, test, violations } from './support/test.ts';

const palette = (page: Page) => page.getByRole('dialog', { name: 'Command palette' });

async function find(page: Page, text: string) {
  await page.keyboard.press('Control+k');
  await expect(palette(page).getByRole('combobox')).toBeFocused();
  await page.keyboard.type(text);
}

test('g and a letter goes to each page, g and a digit to the applications', async ({
  dashboard: page,
  api,
}) => {
  await api.rollout();
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
    // The menu says where one is.
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

test('the question mark lists the keys, and Escape closes them', async ({ dashboard: page }) => {
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await expect(help).toBeVisible();
  for (const line of ['Command palette', 'Machines', 'Audit', 'Freeze what happens', 'Next row of a list'])
    await expect(help.getByText(line, { exact: false })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  // What is behind it does not hear the keys.
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
  expect(new URL(page.url()).pathname).toBe('/');

  // The same without a keyboard.
  await page.getByRole('button', { name: 'Keys' }).click();
  await expect(help).toBeVisible();
  await help.getByRole('button', { name: 'Close' }).click();
  await expect(page.getByRole('button', { name: 'Keys' })).toBeFocused();
});

test('the palette leads to groups, channels, packages, machines and actions', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 3, versions: '1.0.0' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(3);

  await test.step('a group by its name', async () => {
    await find(page, rollout.name);
    await expect(palette(page).getByRole('option', { selected: true })).toContainText(rollout.name);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(new RegExp(`${rollout.path}$`));
    await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
  });

  await test.step('what can be done to the group on the screen', async () => {
    await page.keyboard.press('Control+k');
    await expect(palette(page).getByRole('option', { name: /Resume/ })).toBeVisible();
    await expect(palette(page).getByRole('option', { name: 'Edit policy' })).toBeVisible();
    await page.keyboard.type('resume');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name: `Resume ${rollout.name}` })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
  });

  await test.step('a machine by its id and by its address, as the server knows them', async () => {
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
    // One machine may run several applications.
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

  await test.step('arrows choose, from the last to the first', async () => {
    await find(page, 'theme');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await expect(palette(page).getByRole('option', { selected: true })).toHaveText('Dark theme');
    await page.keyboard.press('Enter');
    await expect(page.locator(':root')).toHaveAttribute('data-theme', 'dark');
  });

  await test.step('nothing found is said', async () => {
    await find(page, 'no such thing at all');
    await expect(palette(page).getByText('Nothing begins with this', { exact: false })).toBeVisible();
  });
  expect(complaints).toEqual([]);
});

test('the slash focuses the search of the page, or opens the palette', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  await page.goto('/audit');
  await expect(page.getByRole('list', { name: 'Changes, newest first' })).toBeVisible();
  await page.keyboard.press('/');
  await expect(palette(page)).toBeVisible();
  await page.keyboard.press('Escape');

  await page.goto(rollout.path);
  await expect(page.getByRole('main').getByRole('searchbox')).toBeVisible();
  await page.keyboard.press('/');
  await expect(page.getByRole('main').getByRole('searchbox')).toBeFocused();
  // No key acts while typing.
  await page.keyboard.type('g?/f');
  await expect(page.getByRole('main').getByRole('searchbox')).toHaveValue('g?/f');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('Control+k');
  await expect(palette(page)).toBeVisible();
});

test('what is typed before the palette is there is typed into it', async ({ dashboard: page, api }) => {
  await api.rollout();
  await page.reload();
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
  // No key acted on the page behind: g and m is another page.
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();
});

test('j and k walk through the rows, Enter opens one', async ({ dashboard: page, api }) => {
  await api.rollout();
  await page.reload();
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

test('f freezes what happens and lets it go on', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  const pause = (reason: string) =>
    api.ask(
      `mutation ($id: ID!, $reason: String!) { pauseUpdates(input: { groupId: $id, reason: $reason }) { userErrors { message } } }`,
      { id: rollout.groupId, reason },
    );
  await page.goto(`/activity?application=${rollout.applicationId}`);
  const lines = page.getByRole('list', { name: 'What happened, newest first' }).getByRole('listitem');
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
