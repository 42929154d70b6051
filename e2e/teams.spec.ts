import { colorRules, expect, test, violations } from './support/test.ts';

test('a user with a role on one group sees only it, pauses it, and cannot promote', async ({
  server,
  api,
  browser,
}) => {
  const rollout = await api.rollout();
  const { applicationId, channelId, groupId } = rollout;
  await api.addGroup({ applicationId, channelId, name: 'Other group', track: `other-${rollout.track}` }, {});
  const username = `gina-${Date.now()}`;
  const password = 'correct horse';
  await api.change('createUser', { username, password, grants: [{ role: 'OPERATOR', groupId }] });
  const page = await (await browser.newContext({ baseURL: server.url })).newPage();
  await page.goto('/');
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const main = page.getByRole('main');

  await test.step('the fleet is the group', async () => {
    await expect(page.getByRole('heading', { level: 1, name: 'Fleet' })).toBeVisible();
    await expect(main.getByRole('article')).toHaveCount(1);
    await expect(main.getByRole('link', { name: rollout.name })).toBeVisible();
    await expect(main.getByText('Other group')).toHaveCount(0);
  });

  await test.step('it reads the application and cannot promote', async () => {
    await page.goto(`/apps/${applicationId}`);
    await expect(main.getByRole('link', { name: rollout.name })).toBeVisible();
    await expect(main.getByText('Other group')).toHaveCount(0);
    const reason = 'Needs the role publisher on this application; you may only read it.';
    await page.getByRole('button', { name: 'Actions of stable amd64' }).click();
    const promote = page.getByRole('menuitem', { name: /^Promote/ });
    await expect(promote).toHaveAttribute('aria-disabled', 'true');
    await expect(promote).toContainText(reason);
    await page.keyboard.press('Escape');
    const row = main.getByRole('row').filter({ hasText: '2.0.0' });
    await expect(row).toHaveAttribute('draggable', 'false');
    await expect(row).toHaveAttribute('title', reason);
    await page.goto(`/apps/${applicationId}/channels/${channelId}`);
    await expect(main.getByRole('button', { name: 'Promote…' })).toHaveAttribute('title', reason);
  });

  await test.step('it pauses the group', async () => {
    await page.goto(rollout.path);
    await expect(main.getByRole('button', { name: 'Edit', exact: true })).toHaveAttribute(
      'title',
      'Needs the role publisher on this group; you are operator.',
    );
    await main.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await expect(main.getByRole('status').first()).toHaveText(/Paused/);
  });

  await test.step('the settings name its role and no other users', async () => {
    await page.goto('/settings');
    await expect(
      main.getByText(new RegExp(`^Operator on group ${rollout.name} of Edge agent`)),
    ).toBeVisible();
    await expect(page.getByRole('region', { name: /^(Users|Teams)$/ })).toHaveCount(0);
  });
  await page.context().close();
});

test('the command palette says which actions the role does not allow', async ({ server, api, browser }) => {
  const rollout = await api.rollout();
  const username = `vera-${Date.now()}`;
  const password = 'correct horse';
  await api.change('createUser', { username, password, role: 'VIEWER' });
  const page = await (await browser.newContext({ baseURL: server.url })).newPage();
  await page.goto(rollout.path);
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: rollout.name })).toBeVisible();
  await page.keyboard.press('ControlOrMeta+k');
  const pause = page.getByRole('option', { name: /^Pause…/ });
  await expect(pause).toContainText('Needs the role operator on this group; you are viewer.');
  await expect(pause).toHaveAttribute('aria-disabled', 'true');
  await page.keyboard.type('pause');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Command palette' })).toBeVisible();
  await page.context().close();
});

test('the page of a job follows the role on its machines', async ({ server, api, browser }) => {
  const { applicationId, groupId, track } = await api.rollout();
  const username = `vera-${Date.now()}`;
  const password = 'correct horse';
  const grants = [
    { role: 'VIEWER', applicationId },
    { role: 'OPERATOR', groupId },
  ];
  await api.change('createUser', { username, password, grants });
  const machine = `unseen-${track}`;
  await api.change('enrollInstances', { applicationId, machineIds: [machine] });
  const { startMachineJob } = await api.ask<{ startMachineJob: { job: { id: string } } }>(
    `mutation ($f: InstanceFilter!) { startMachineJob(input: { filter: $f, action: { kind: HOLD } }) { job { id } } }`,
    { f: { applicationId, search: machine } },
  );
  const page = await (await browser.newContext({ baseURL: server.url })).newPage();
  await page.goto(`/machines/jobs/${startMachineJob.job.id}`);
  await page.getByLabel('User name').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const retry = page.getByRole('button', { name: 'Retry 1 failed' });
  await expect(retry).toBeDisabled();
  await expect(retry).toHaveAttribute(
    'title',
    'Needs the role operator on the machines of this job; you are viewer.',
  );
  expect(await violations(page)).toEqual([]);
  await page.context().close();
});

test('an owner makes a team, gives a role in it, and sees what belongs to it', async ({
  dashboard: page,
  api,
}) => {
  const rollout = await api.rollout();
  const unique = Date.now();
  const [team, username] = [`Retail ${unique}`, `tom-${unique}`];
  await page.goto('/settings');
  const teams = page.getByRole('region', { name: 'Teams' });
  const users = page.getByRole('region', { name: 'Users' });
  const dialog = page.getByRole('dialog');
  const choose = async (label: string | RegExp, option: string | RegExp) => {
    await dialog.getByRole('combobox', { name: label }).last().click();
    await page.getByRole('option', { name: option }).first().click();
  };

  await teams.getByRole('button', { name: 'New team' }).click();
  await dialog.getByLabel('Name').fill(team);
  await dialog.getByRole('button', { name: 'Create team' }).click();
  await expect(teams.getByRole('listitem').filter({ hasText: team })).toContainText(
    'no applications; 0 users',
  );

  await test.step('two roles in one dialog', async () => {
    await users.getByRole('button', { name: 'Add user' }).click();
    await dialog.getByLabel('User name').fill(username);
    await dialog.getByLabel('First password').fill('correct horse');
    await choose('Team', team);
    await dialog.getByRole('button', { name: 'Another role' }).click();
    await choose('Role', 'Operator');
    await choose('On', new RegExp(`^Group ${rollout.name}`));
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page, colorRules), `${colorScheme}: axe of the dialog`).toEqual([]);
      if (process.env['SCREENS'])
        await page.screenshot({ path: `../build/screens/roles-${colorScheme}.png` });
    }
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    const tom = users.getByRole('listitem').filter({ hasText: username });
    await expect(tom).toContainText(
      `Viewer of team ${team}, operator on group ${rollout.name} of Edge agent`,
    );
  });

  await test.step('the application moves to the team and back', async () => {
    const move = async (to: string) => {
      await page.goto(`/apps/${rollout.applicationId}`);
      await page.getByRole('main').getByRole('button', { name: 'Edit', exact: true }).first().click();
      await choose('Team', to);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await expect(dialog).toBeHidden();
    };
    await move(team);
    await expect(page.getByText(`team ${team}`)).toBeVisible();
    await page.goto('/settings');
    await expect(teams.getByRole('listitem').filter({ hasText: team })).toContainText(
      /Edge agent .*;\s+1 user/,
    );
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 900 });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const rules = colorScheme === 'dark' ? colorRules : undefined;
        expect(await violations(page, rules), `${colorScheme} at ${width} px: axe`).toEqual([]);
        if (process.env['SCREENS'])
          await page.screenshot({
            path: `../build/screens/teams-${colorScheme}-${width}.png`,
            fullPage: true,
          });
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    await move('default');
  });

  await test.step('only an empty team can be deleted', async () => {
    await page.goto('/settings');
    const remove = async () => {
      await teams.getByRole('button', { name: `Actions for team ${team}` }).click();
      await page.getByRole('menuitem', { name: 'Delete…' }).click();
      await dialog.getByRole('button', { name: 'Delete' }).click();
    };
    await remove();
    await expect(dialog).toContainText('still has 0 applications');
    await page.keyboard.press('Escape');
    await users.getByRole('button', { name: `Actions for ${username}` }).click();
    await page.getByRole('menuitem', { name: 'Remove…' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await expect(users.getByText(username)).toHaveCount(0);
    await remove();
    await expect(teams.getByText('Everything belongs to one team.')).toBeVisible();
  });
});
