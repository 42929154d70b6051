import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, violations } from './support/test.ts';
import type { Page } from '@playwright/test';
import type { Api } from './support/api.ts';

/** Chooses an option of a select. */
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

test('a new application gets a channel, a group, and a package with digests computed in the browser', async ({
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

  await test.step('a rejected edit shows the error at its field', async () => {
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit Kiosk' });
    await dialog.getByLabel(/^Product id/).fill('no dots');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByText('must be a reverse-domain name', { exact: false })).toBeVisible();
    await dialog.getByLabel(/^Product id/).fill('io.example.kiosk');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText('io.example.kiosk')).toBeVisible();
  });

  await test.step('request attributes to keep', async () => {
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit Kiosk' });
    const names = dialog.getByLabel(/^Request attributes/);
    await names.fill('rack, Region');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByText('must have 1 to 63 characters', { exact: false })).toBeVisible();
    await names.fill('rack oem_region');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toBeHidden();
    await page.getByRole('button', { name: 'Edit' }).click();
    await expect(names).toHaveValue('oem_region, rack');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });

  await test.step('a channel', async () => {
    await page.getByRole('button', { name: 'New channel' }).click();
    const dialog = page.getByRole('dialog', { name: 'New channel' });
    await dialog.getByLabel('Name').fill('stable');
    await dialog.getByRole('button', { name: 'Create channel' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByRole('listitem', { name: 'stable, amd64' })).toContainText('no package');
  });

  await test.step('a group with a preset policy', async () => {
    await page.getByRole('button', { name: 'New group' }).click();
    const dialog = page.getByRole('dialog', { name: 'New group' });
    await dialog.getByLabel('Name', { exact: true }).fill('shops');
    await choose(dialog, page, 'Channel', /^stable/);
    await choose(dialog, page, 'Initial policy', /^Waves/);
    await expect(dialog.getByText(/in 3 waves/)).toBeVisible();
    await dialog.getByRole('button', { name: 'Create group' }).click();
    await expect(page.getByRole('heading', { name: 'shops', level: 1 })).toBeVisible();
    await page.goto(`/apps/${id}`);
    await expect(page.getByRole('article').filter({ hasText: 'shops' })).toContainText('in 3 waves');
  });

  await test.step('a package with size and digests of a file of several chunks', async () => {
    const payload = randomBytes(9 * 1024 * 1024 + 17);
    await page.getByRole('link', { name: 'New package' }).click();
    await page.getByLabel('Version', { exact: true }).fill('1.0');
    const folder = page.getByLabel('Folder URL');
    await folder.fill('https://example.com/kiosk');
    await expect(page.getByText('appended to “kiosk”', { exact: false })).toBeVisible();
    await page.getByRole('button', { name: 'Add slash' }).click();
    await expect(folder).toHaveValue('https://example.com/kiosk/');
    await expect(folder).toBeFocused();
    await expect(page.getByText('appended to “kiosk”', { exact: false })).toBeHidden();
    await page
      .getByRole('button', { name: 'Choose or drop the file' })
      .setInputFiles({ name: 'kiosk.img', mimeType: 'application/octet-stream', buffer: payload });
    await expect(page.getByText('Filled in size and digests of kiosk.img.', { exact: false })).toBeVisible();
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
    await expect(page.getByText(sha256.toString('hex'), { exact: true })).toBeVisible();
    // The server derived the digest of the action.
    await expect(page.getByText(sha256.toString('base64'), { exact: true })).toBeVisible();
    expect(await violations(page)).toEqual([]);
  });

  await test.step('a package with size and digests that the server fetches', async () => {
    const files = createServer((request, response) => {
      if (request.url === '/2.0.0/kiosk.img') response.end('hello\n');
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(files, 'listening');
    const { port } = files.address() as AddressInfo;
    await page.goto(`/apps/${id}/packages/new`);
    await page.getByLabel('Version', { exact: true }).fill('2.0.0');
    await page.getByRole('button', { name: 'Fetch and fill in' }).click();
    await expect(page.getByText('Enter the folder URL and the file name first.')).toBeVisible();
    await page.getByLabel('Folder URL').fill(`http://127.0.0.1:${port}/2.0.0/`);
    await page.getByLabel('File name').fill('missing.img');
    await page.getByRole('button', { name: 'Fetch and fill in' }).click();
    await expect(page.getByText('The server of the file answered 404 Not Found')).toBeVisible();
    await page.getByLabel('File name').fill('kiosk.img');
    await page.getByRole('button', { name: 'Fetch and fill in' }).click();
    await expect(page.getByText('Filled in size and digests (6 B).')).toBeVisible();
    await expect(page.getByLabel('Size in bytes')).toHaveValue('6');
    await expect(page.getByLabel('SHA-1 (base64)')).toHaveValue('9XLTlvrpIGYocU+yzgD3LpTyJY8=');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create package' }).click();
    await expect(page.getByRole('heading', { name: 'Package 2.0.0' })).toBeVisible();
    files.close();
  });

  await test.step('deleting needs the name and a reason', async () => {
    await page.goto(`/apps/${id}`);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete application Kiosk?' });
    await dialog.getByLabel('Reason').fill('was a test');
    await dialog.getByRole('button', { name: 'Delete application' }).click();
    await expect(dialog.getByText('The name is “Kiosk”.')).toBeVisible();
    await dialog.getByLabel('Type “Kiosk” to confirm').fill('Kiosk');
    await dialog.getByRole('button', { name: 'Delete application' }).click();
    await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
  });
});

test('a promotion states its impact and needs a reason, by menu and by drag', async ({
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
    await expect(dialog.getByText('Enter a reason', { exact: false })).toBeVisible();
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

  await test.step('from the channel, with a warning about an older version', async () => {
    await channel.getByRole('button', { name: /^Actions/ }).click();
    await page.getByRole('menuitem', { name: 'Promote…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Promote to stable' });
    await choose(dialog, page, 'Version', /^1\.5\.0/);
    await expect(page.getByText('1.5.0 is older than', { exact: false })).toBeVisible();
    await page.keyboard.press('Escape');
  });

  const at = (await graph.channels(api, rollout.applicationId))[0];
  expect(at?.package?.version).toBe('2.2.0');
});

test('floors, blacklist and update path', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  for (const version of ['1.5.0', '2.1.0']) await graph.package(api, rollout.applicationId, version);
  const [channel] = await graph.channels(api, rollout.applicationId);
  await page.goto(`/apps/${rollout.applicationId}/channels/${channel?.id}`);
  await expect(page.getByRole('heading', { name: 'stable', level: 1 })).toBeVisible();
  const path = page.getByRole('list', { name: 'Update path' });
  await page.getByLabel('Installed version').fill('1.0.0');
  await expect(path.getByRole('listitem')).toHaveText(['1.0.0', /2\.0\.0/]);

  await page.getByRole('button', { name: 'Add floor' }).click();
  const floor = page.getByRole('dialog', { name: 'Add a floor?' });
  await choose(floor, page, 'Version', /^1\.5\.0/);
  await floor.getByLabel('Reason').fill('migrates the disk');
  await floor.getByRole('button', { name: 'Add floor' }).click();
  await expect(page.getByText('“migrates the disk”')).toBeVisible();
  await expect(path.getByRole('listitem')).toHaveText(['1.0.0', /1\.5\.0/, /2\.0\.0/]);

  await page.getByRole('button', { name: 'Blacklist package' }).click();
  const black = page.getByRole('dialog', { name: 'Blacklist a package?' });
  await choose(black, page, 'Version', /^2\.1\.0/);
  await black.getByLabel('Reason').fill('boot loops');
  await black.getByRole('button', { name: 'Blacklist' }).click();
  await expect(page.getByText('“boot loops”').first()).toBeVisible();
  expect(await violations(page)).toEqual([]);

  const [now] = await graph.channels(api, rollout.applicationId);
  expect(now?.floors).toEqual([{ reason: 'migrates the disk', package: { version: '1.5.0' } }]);
  expect(now?.blacklistings).toEqual([{ reason: 'boot loops', package: { version: '2.1.0' } }]);

  await test.step('a blacklisted package cannot be promoted, and the menu shows the reason', async () => {
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

  await test.step('a floor is removed', async () => {
    await page.goto(`/apps/${rollout.applicationId}/channels/${channel?.id}`);
    await page.getByRole('button', { name: 'Remove 1.5.0' }).click();
    const dialog = page.getByRole('dialog', { name: 'Let machines skip 1.5.0?' });
    await dialog.getByLabel('Reason').fill('all are past it');
    await dialog.getByRole('button', { name: 'Remove floor' }).click();
    await expect(page.getByText('“migrates the disk”')).toBeHidden();
  });
});

test('the policy editor shows preview, windows, simulation and changes', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 20, versions: '1.0.0' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(20);
  await page.goto(`${rollout.path}/policy`);
  const meaning = page.getByRole('complementary', { name: 'Policy preview' });
  await expect(meaning).toContainText('at most 1000 machines per hour and 3 at once');
  await expect(meaning).toContainText('No changes: this is the policy in force.');

  await test.step('errors of browser and server are shown at the field', async () => {
    const period = page.getByLabel('Period', { exact: true });
    await period.fill('soon');
    await expect(page.getByText('must be a time with a unit', { exact: false })).toBeVisible();
    await period.fill('0 s');
    await expect(page.getByText('must be longer than 0')).toBeVisible();
    await expect(period).toHaveAttribute('aria-invalid', 'true');
    await period.fill('30 min');
    await expect(period).not.toHaveAttribute('aria-invalid');
  });

  await test.step('windows in the time zone, and the simulation', async () => {
    await page.getByLabel('Time zone').fill('Europe/Berlin');
    await page.getByRole('button', { name: 'Add window' }).click();
    await expect(meaning).toContainText('22:00 – ');
    await expect(meaning).toContainText('Times in Europe/Berlin');
    await page.getByRole('switch', { name: 'Updates enabled' }).click();
    await expect(meaning).toContainText(/rollout would be/i);
    await expect(
      meaning
        .getByRole('img', { name: /Simulated rollout/ })
        .or(meaning.locator('canvas'))
        .first(),
    ).toBeVisible();
  });

  await test.step('a policy that lets more machines update needs a reason', async () => {
    await expect(
      meaning
        .getByRole('listitem')
        .filter({ hasText: /period/i })
        .first(),
    ).toBeVisible();
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(
      page.getByText('Enter a reason: this change lets more machines', { exact: false }),
    ).toBeVisible();
  });

  await test.step('a conflicting change keeps the edits of both users', async () => {
    await page.getByLabel('Reason (required)').fill('ready for the shops');
    await api.ask(
      `mutation ($id: ID!) { updatePolicy(input: { groupId: $id, policy: { maxAttempts: 7 } }) { userErrors { message } } }`,
      { id: rollout.groupId },
    );
    const notice = page.getByRole('alert').filter({ hasText: 'Attempts per machine' });
    await expect(notice).toContainText('3 → 7');
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(notice).toContainText('Not saved: another user changed this policy first.');
    await expect(page.getByLabel('Period', { exact: true })).toHaveValue('30 min');
    await notice.getByRole('button', { name: 'Update form' }).click();
    await expect(page.getByLabel('Attempts per machine')).toHaveValue('7');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Save policy' }).click();
    await expect(page.getByRole('heading', { name: rollout.name, level: 1 })).toBeVisible();
    await expect(page.getByText('per 30 minutes', { exact: false }).first()).toBeVisible();
  });

  const { policy } = await graph.policy(api, rollout.groupId);
  expect(policy).toMatchObject({ maxAttempts: 7, windows: [{ start: '22:00' }] });
});

test('leaving unsaved edits asks first', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  const leave = page.getByRole('dialog', { name: 'Leave without saving?' });
  const title = (name: RegExp) => page.getByRole('heading', { name, level: 1 });

  await test.step('a policy: by link and by Back', async () => {
    await page.goto(rollout.path);
    await page.getByRole('link', { name: 'Edit policy' }).click();
    const perPeriod = page.getByLabel('Machines per period');
    await expect(perPeriod).toBeVisible();
    // Without edits there is no question.
    await page.goBack();
    await expect(title(new RegExp(rollout.name))).toBeVisible();
    await page.getByRole('link', { name: 'Edit policy' }).click();
    await perPeriod.fill('7');
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Activity' }).click();
    await expect(leave).toContainText('Your changes to this policy will be lost');
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

  await test.step('the browser asks before a reload', async () => {
    await page.goto(`${rollout.path}/policy`);
    await page.getByLabel('Machines per period').fill('7');
    const asked = page.waitForEvent('dialog');
    const reloaded = page.reload();
    const question = await asked;
    expect(question.type()).toBe('beforeunload');
    await question.accept();
    await reloaded;
  });

  await test.step('after saving or cancelling there is no question', async () => {
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
    await expect(leave).toContainText('Your changes to this package will be lost');
    await leave.getByRole('button', { name: 'Leave' }).click();
    await expect(title(/Audit/)).toBeVisible();
  });
});

test('what machines have of a released package is changed only after a question', async ({
  dashboard: page,
  api,
}) => {
  const rollout = await api.rollout();
  const { applicationId, packageId, track } = rollout;
  const checked = await page.request.post('/v1/update/', {
    data: `<request protocol="3.0"><app appid="${applicationId}" version="2.0.0" track="${track}" machineid="released-1"><updatecheck/></app></request>`,
    headers: { 'Content-Type': 'text/xml' },
  });
  expect(checked.ok()).toBe(true);
  const edit = `/apps/${applicationId}/packages/${packageId}?edit=1`;
  const heading = page.getByRole('heading', { name: 'Package 2.0.0', exact: true });

  await page.goto(edit);
  await page.getByLabel('Description').fill('tested on canaries');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(heading).toBeVisible();

  await page.goto(edit);
  await page.getByLabel('Folder URL').fill('https://example.com/moved/');
  await page.getByRole('button', { name: 'Save' }).click();
  const question = page.getByRole('dialog', { name: 'Change a released package?' });
  await expect(question).toContainText('1 machine already on 2.0.0');
  expect(await violations(page)).toEqual([]);
  await question.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByLabel('Folder URL')).toHaveValue('https://example.com/moved/');
  await page.getByRole('button', { name: 'Save' }).click();
  await question.getByRole('button', { name: 'Change anyway' }).click();
  await expect(heading).toBeVisible();
  await expect(page.getByText('https://example.com/moved/').first()).toBeVisible();
});

test('a group is edited on its page', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  await page.goto(rollout.path);
  await page.getByRole('main').getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: `Edit ${rollout.name}` });
  await expect(dialog.getByLabel('Track')).toHaveValue(rollout.track);
  await dialog.getByLabel('Aliases').fill('north-one');
  await dialog.getByLabel('Name').fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  // What was rejected stays in the dialog.
  await expect(dialog.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel('Name').fill('Shops in the north');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('heading', { level: 1, name: 'Shops in the north' })).toBeVisible();
  await expect(page.getByText('north-one')).toBeVisible();
});
