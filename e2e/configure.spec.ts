import { createHash, randomBytes } from 'node:crypto';
import { expect, test, violations } from './support/test.ts';
import type { Page } from '@playwright/test';
import type { Api } from './support/api.ts';

/** Chooses an option of one of our selects. */
async function choose(
  scope: Page | ReturnType<Page['getByRole']>,
  page: Page,
  label: string,
  option: RegExp,
) {
  await scope.getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option }).click();
}

const graph = {
  package: (api: Api, applicationId: string, version: string) =>
    api.ask<{ made: { package: { id: string } } }>(
      `mutation ($input: CreatePackageInput!) { made: createPackage(input: $input) { package { id } userErrors { message } } }`,
      {
        input: {
          applicationId,
          type: 'OTHER',
          version,
          url: 'https://example.com/agent/',
          filename: `agent-${version}.tar.gz`,
          sha256: 'a'.repeat(64),
        },
      },
    ),
  channels: async (api: Api, id: string) =>
    (
      await api.ask<{
        application: {
          channels: {
            id: string;
            name: string;
            package: { version: string } | null;
            floors: { reason: string; package: { version: string } }[];
            blacklistings: { reason: string; package: { version: string } }[];
          }[];
        };
      }>(
        `query ($id: ID!) { application(id: $id) { channels { id name package { version }
          floors { reason package { version } } blacklistings { reason package { version } } } } }`,
        { id },
      )
    ).application.channels,
  policy: async (api: Api, id: string) =>
    (
      await api.ask<{
        group: {
          revision: number;
          policy: { maxUpdatesPerPeriod: number; maxAttempts: number; windows: unknown[] };
        };
      }>(
        `query ($id: ID!) { group(id: $id) { revision policy { maxUpdatesPerPeriod maxAttempts windows { start } } } }`,
        {
          id,
        },
      )
    ).group,
};

test('an application from nothing: channel, group, and a package whose digests the browser computes', async ({
  dashboard: page,
  api,
}) => {
  const { made } = await api.ask<{ made: { application: { id: string } } }>(
    `mutation { made: createApplication(input: { name: "Kiosk" }) { application { id } userErrors { message } } }`,
  );
  const id = made.application.id;
  await page.goto(`/apps/${id}`);
  await expect(page.getByText('No channels yet.', { exact: false })).toBeVisible();
  await expect(page.getByText('No groups yet.', { exact: false })).toBeVisible();
  expect(await violations(page)).toEqual([]);

  await test.step('edit: what the API refuses stands next to its field', async () => {
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Edit…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit Kiosk' });
    await dialog.getByLabel(/^Product id/).fill('no dots');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByText('must be a reverse-domain name', { exact: false })).toBeVisible();
    await dialog.getByLabel(/^Product id/).fill('io.example.kiosk');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText('io.example.kiosk')).toBeVisible();
  });

  await test.step('a channel', async () => {
    await page.getByRole('button', { name: 'New channel' }).click();
    const dialog = page.getByRole('dialog', { name: 'New channel' });
    await dialog.getByLabel('Name').fill('stable');
    await dialog.getByRole('button', { name: 'Create channel' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByRole('listitem', { name: 'stable, amd64' })).toContainText('points to nothing');
  });

  await test.step('a group, with a policy said in words', async () => {
    await page.getByRole('button', { name: 'New group' }).click();
    const dialog = page.getByRole('dialog', { name: 'New group' });
    await dialog.getByLabel('Name', { exact: true }).fill('shops');
    await choose(dialog, page, 'Channel', /^stable/);
    await choose(dialog, page, 'Begin with', /^Waves/);
    await expect(dialog.getByText(/in 3 waves/)).toBeVisible();
    await dialog.getByRole('button', { name: 'Create group' }).click();
    await expect(page.getByRole('heading', { name: 'shops', level: 1 })).toBeVisible();
    await page.goto(`/apps/${id}`);
    await expect(page.getByRole('article').filter({ hasText: 'shops' })).toContainText('in 3 waves');
  });

  await test.step('a package: size and digests of a file of several pieces', async () => {
    const payload = randomBytes(9 * 1024 * 1024 + 17);
    await page.getByRole('link', { name: 'New package' }).click();
    await page.getByLabel('Version', { exact: true }).fill('1.0');
    const folder = page.getByLabel('URL of the folder');
    await folder.fill('https://example.com/kiosk');
    await expect(page.getByText('joined to “kiosk”', { exact: false })).toBeVisible();
    await page.getByRole('button', { name: 'Add the slash' }).click();
    await expect(folder).toHaveValue('https://example.com/kiosk/');
    await expect(folder).toBeFocused();
    await expect(page.getByText('joined to “kiosk”', { exact: false })).toBeHidden();
    await page
      .getByRole('button', { name: 'Choose or drop the file' })
      .setInputFiles({ name: 'kiosk.img', mimeType: 'application/octet-stream', buffer: payload });
    await expect(page.getByText('Size and digests are those of kiosk.img.', { exact: false })).toBeVisible();
    const sha256 = createHash('sha256').update(payload).digest();
    await expect(page.getByLabel('SHA-256 (64', { exact: false })).toHaveValue(sha256.toString('hex'));
    await expect(page.getByLabel('SHA-1 (base64)')).toHaveValue(
      createHash('sha1').update(payload).digest('base64'),
    );
    await expect(page.getByLabel('Size in bytes')).toHaveValue(String(payload.length));
    await expect(page.getByText('Machines download https://example.com/kiosk/kiosk.img')).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create package' }).click();
    await expect(page.getByText('is not a semantic version', { exact: false })).toBeVisible();
    await expect(page.getByLabel('Version', { exact: true })).toBeFocused();
    await page.getByLabel('Version', { exact: true }).fill('1.0.0');
    await page.getByRole('button', { name: 'Create package' }).click();
    await expect(page.getByRole('heading', { name: 'Package 1.0.0' })).toBeVisible();
    await expect(page.getByText(sha256.toString('hex'))).toBeVisible();
    // The server made the action's digest of it.
    await expect(page.getByText(sha256.toString('base64'))).toBeVisible();
    expect(await violations(page)).toEqual([]);
  });

  await test.step('delete: by name and with a reason', async () => {
    await page.goto(`/apps/${id}`);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete application Kiosk?' });
    await dialog.getByLabel('Reason').fill('was a test');
    await dialog.getByRole('button', { name: 'Delete application' }).click();
    await expect(dialog.getByText('This is not “Kiosk”.')).toBeVisible();
    await dialog.getByLabel('Type “Kiosk” to confirm').fill('Kiosk');
    await dialog.getByRole('button', { name: 'Delete application' }).click();
    await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
  });
});

test('promotion says its reach and takes a reason, by menu and by drag', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  for (const version of ['1.5.0', '2.1.0', '2.2.0']) await graph.package(api, rollout.applicationId, version);
  machines(rollout, { machines: 12, versions: '1.0.0' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(12);
  await page.goto(`/apps/${rollout.applicationId}`);
  const channel = page.getByRole('listitem', { name: 'stable, amd64' });
  const row = (version: string) => page.getByRole('row').filter({ hasText: version });

  await test.step('from the menu of a package', async () => {
    await row('2.1.0')
      .getByRole('button', { name: /^Actions/ })
      .click();
    await page.getByRole('menuitem', { name: 'Promote to stable…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Promote 2.1.0 to stable?' });
    await expect(dialog).toContainText('12 of them would update');
    await expect(dialog).toContainText('stable: 2.0.0 → 2.1.0');
    await dialog.getByRole('button', { name: 'Promote' }).click();
    await expect(dialog.getByText('Say why', { exact: false })).toBeVisible();
    await dialog.getByLabel('Reason').fill('fixes the leak');
    await dialog.getByRole('button', { name: 'Promote' }).click();
    await expect(dialog).toBeHidden();
    await expect(channel).toContainText('2.1.0');
  });

  await test.step('dragged to a channel, without a reload', async () => {
    await row('2.2.0').getByRole('link', { name: '2.2.0' }).hover();
    await row('2.2.0').dragTo(channel);
    const dialog = page.getByRole('dialog', { name: 'Promote 2.2.0 to stable?' });
    await dialog.getByLabel('Reason').fill('by drag');
    await dialog.getByRole('button', { name: 'Promote' }).click();
    await expect(channel).toContainText('2.2.0');
  });

  await test.step('from the channel, with a warning of an older version', async () => {
    await channel.getByRole('button', { name: /^Actions/ }).click();
    await page.getByRole('menuitem', { name: 'Promote…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Promote to stable' });
    await choose(dialog, page, 'Version', /^1\.5\.0/);
    await expect(page.getByText('1.5.0 is older than 2.2.0', { exact: false })).toBeVisible();
    await page.keyboard.press('Escape');
  });

  const at = (await graph.channels(api, rollout.applicationId))[0];
  expect(at?.package?.version).toBe('2.2.0');
});

test('floors, blacklist and the way from a version', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  for (const version of ['1.5.0', '2.1.0']) await graph.package(api, rollout.applicationId, version);
  const [channel] = await graph.channels(api, rollout.applicationId);
  await page.goto(`/apps/${rollout.applicationId}/channels/${channel?.id}`);
  await expect(page.getByRole('heading', { name: 'stable', level: 1 })).toBeVisible();
  const path = page.getByRole('list', { name: 'Update path' });
  await page.getByLabel('A machine that runs').fill('1.0.0');
  await expect(path.getByRole('listitem')).toHaveText(['1.0.0', /2\.0\.0/]);

  await page.getByRole('button', { name: 'Add a floor' }).click();
  const floor = page.getByRole('dialog', { name: 'No machine may skip a version' });
  await choose(floor, page, 'Version', /^1\.5\.0/);
  await floor.getByLabel('Reason').fill('migrates the disk');
  await floor.getByRole('button', { name: 'Add floor' }).click();
  await expect(page.getByText('“migrates the disk”')).toBeVisible();
  await expect(path.getByRole('listitem')).toHaveText(['1.0.0', /1\.5\.0/, /2\.0\.0/]);

  await page.getByRole('button', { name: 'Blacklist a package' }).click();
  const black = page.getByRole('dialog', { name: 'Keep a package away' });
  await choose(black, page, 'Version', /^2\.1\.0/);
  await black.getByLabel('Reason').fill('boot loops');
  await black.getByRole('button', { name: 'Blacklist' }).click();
  await expect(page.getByText('“boot loops”').first()).toBeVisible();
  expect(await violations(page)).toEqual([]);

  const [now] = await graph.channels(api, rollout.applicationId);
  expect(now?.floors).toEqual([{ reason: 'migrates the disk', package: { version: '1.5.0' } }]);
  expect(now?.blacklistings).toEqual([{ reason: 'boot loops', package: { version: '2.1.0' } }]);

  await test.step('what is blacklisted cannot be promoted, and the menu says why', async () => {
    await page.goto(`/apps/${rollout.applicationId}`);
    await page
      .getByRole('row')
      .filter({ hasText: '2.1.0' })
      .getByRole('button', { name: /^Actions/ })
      .click();
    const item = page.getByRole('menuitem', { name: 'Promote to stable…' });
    await expect(item).toHaveAttribute('aria-disabled', 'true');
    await expect(item).toContainText('“boot loops”');
    await page.keyboard.press('Escape');
  });

  await test.step('a floor is taken away again', async () => {
    await page.goto(`/apps/${rollout.applicationId}/channels/${channel?.id}`);
    await page.getByRole('button', { name: 'Remove 1.5.0' }).click();
    const dialog = page.getByRole('dialog', { name: 'Let machines skip 1.5.0?' });
    await dialog.getByLabel('Reason').fill('all are past it');
    await dialog.getByRole('button', { name: 'Remove floor' }).click();
    await expect(page.getByText('“migrates the disk”')).toBeHidden();
  });
});

test('a policy is edited with its meaning, windows, curve and difference in view', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 20, versions: '1.0.0' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(20);
  await page.goto(`${rollout.path}/policy`);
  const meaning = page.getByRole('complementary', { name: 'What the policy means' });
  await expect(meaning).toContainText('at most 1000 machines per hour and 3 at once');
  await expect(meaning).toContainText('None: this is the policy in force.');

  await test.step('errors next to the field, of the browser and of the server', async () => {
    const period = page.getByLabel('Period', { exact: true });
    await period.fill('soon');
    await expect(page.getByText('must be a time with a unit', { exact: false })).toBeVisible();
    await period.fill('0 s');
    await expect(page.getByText('must be longer than 0')).toBeVisible();
    await expect(period).toHaveAttribute('aria-invalid', 'true');
    await period.fill('30 min');
    await expect(period).not.toHaveAttribute('aria-invalid');
  });

  await test.step('windows on the clock of the zone, and the curve', async () => {
    await page.getByLabel('Time zone').fill('Europe/Berlin');
    await page.getByRole('button', { name: 'Add a window' }).click();
    await expect(meaning).toContainText('22:00 – ');
    await expect(meaning).toContainText('on the clock of Europe/Berlin');
    await page.getByRole('switch', { name: 'Updates enabled' }).click();
    await expect(meaning).toContainText(/rollout would be/i);
    await expect(
      meaning
        .getByRole('img', { name: /Simulated rollout/ })
        .or(meaning.locator('canvas'))
        .first(),
    ).toBeVisible();
  });

  await test.step('more reach needs a reason', async () => {
    await expect(
      meaning
        .getByRole('listitem')
        .filter({ hasText: /period/i })
        .first(),
    ).toBeVisible();
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(page.getByText('Say why: more machines', { exact: false })).toBeVisible();
  });

  await test.step('somebody is faster: nothing is lost on either side', async () => {
    await page.getByLabel('Reason (required)').fill('ready for the shops');
    await api.ask(
      `mutation ($id: ID!) { updatePolicy(input: { groupId: $id, policy: { maxAttempts: 7 } }) { userErrors { message } } }`,
      { id: rollout.groupId },
    );
    const notice = page.getByRole('alert').filter({ hasText: 'Attempts per machine' });
    await expect(notice).toContainText('3 → 7');
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(notice).toContainText('Nothing was saved: somebody was faster.');
    await expect(page.getByLabel('Period', { exact: true })).toHaveValue('30 min');
    await notice.getByRole('button', { name: 'Go on from there' }).click();
    await expect(page.getByLabel('Attempts per machine')).toHaveValue('7');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(page.getByRole('heading', { name: rollout.name, level: 1 })).toBeVisible();
    await expect(page.getByText('per 30 minutes', { exact: false }).first()).toBeVisible();
  });

  const { policy } = await graph.policy(api, rollout.groupId);
  expect(policy).toMatchObject({ maxAttempts: 7, windows: [{ start: '22:00' }] });
});

test('what was typed is not lost without a question', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  const leave = page.getByRole('dialog', { name: 'Leave without saving?' });
  const title = (name: RegExp) => page.getByRole('heading', { name, level: 1 });

  await test.step('a policy: by link, by key, by the way back', async () => {
    await page.goto(rollout.path);
    await page.getByRole('link', { name: 'Edit policy' }).click();
    const perPeriod = page.getByLabel('Machines per period');
    await expect(perPeriod).toBeVisible();
    // Nothing was typed: nobody is asked.
    await page.goBack();
    await expect(title(new RegExp(rollout.name))).toBeVisible();
    await page.getByRole('link', { name: 'Edit policy' }).click();
    await perPeriod.fill('7');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Activity' }).click();
    await expect(leave).toContainText('the changes to this policy are lost');
    expect(await violations(page)).toEqual([]);
    await leave.getByRole('button', { name: 'Stay' }).click();
    await expect(page).toHaveURL(/\/policy$/);
    await page.goBack();
    await expect(leave).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(leave).toBeHidden();
    await expect(page).toHaveURL(/\/policy$/);
    await expect(perPeriod).toHaveValue('7');
    await page.goBack();
    await leave.getByRole('button', { name: 'Leave' }).click();
    await expect(title(new RegExp(rollout.name))).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`${rollout.path}$`));
  });

  await test.step('the browser asks too before the page is loaded anew', async () => {
    await page.goto(`${rollout.path}/policy`);
    await page.getByLabel('Machines per period').fill('7');
    const asked = page.waitForEvent('dialog');
    const reloaded = page.reload();
    const question = await asked;
    expect(question.type()).toBe('beforeunload');
    await question.accept();
    await reloaded;
  });

  await test.step('saved or given up: nobody is asked', async () => {
    await page.getByLabel('Machines per period').fill('7');
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(title(new RegExp(rollout.name))).toBeVisible();
    await page.goto(`/apps/${rollout.applicationId}/packages/new`);
    await page.getByLabel('Version', { exact: true }).fill('3.0.0');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect(title(/^Edge agent/)).toBeVisible();
  });

  await test.step('a package', async () => {
    await page.goto(`/apps/${rollout.applicationId}/packages/${rollout.packageId}?edit=1`);
    await page.getByLabel('Description').fill('half a sent');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Audit' }).click();
    await expect(leave).toContainText('the changes to this package are lost');
    await leave.getByRole('button', { name: 'Leave' }).click();
    await expect(title(/Audit/)).toBeVisible();
  });
});
