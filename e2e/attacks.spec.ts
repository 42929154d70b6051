import { expect, test } from './support/test.ts';

/** Runs if a browser takes a text of a machine for HTML. */
const attack = '<img src=x onerror="attacked=1">';
const escaped = attack.replaceAll('<', '&lt;').replaceAll('"', '&quot;');

test('what a machine sends is text on every page', async ({ dashboard: page, api }) => {
  const rollout = await api.rollout();
  const { applicationId, track } = rollout;
  const send = (attributes: string, rest = '<updatecheck/>') =>
    api.post(
      `<request protocol="3.0"><app appid="${applicationId}" machineid="${escaped}" machinealias="${escaped}"
        oem="${escaped}" oemversion="${escaped}" alephversion="${escaped}" bootid="${escaped}" ${attributes}>${rest}</app></request>`,
    );
  const failed = `<event eventtype="3" eventresult="0" errorcode="10" previousversion="${escaped}"/><updatecheck/>`;
  expect(await send(`version="1.0.0" track="${track}"`)).toContain('<manifest version="2.0.0">');
  expect(await send(`version="1.0.0" track="${track}"`, failed)).toContain('status="ok"');
  expect(await send(`version="${escaped}" track="${track}"`)).toContain('error-invalidVersion');
  expect(await send(`version="1.0.0" track="${escaped}" board="${escaped}"`)).toContain('error-unknownGroup');

  const { instance } = await api.ask<{ instance: { id: string } }>(
    `query ($applicationId: ID!, $machineId: String!) {
      instance: instanceByMachineId(applicationId: $applicationId, machineId: $machineId) { id } }`,
    { applicationId, machineId: attack },
  );
  const paths = [
    `/apps/${applicationId}/machines`,
    `/apps/${applicationId}/machines/${instance.id}`,
    rollout.path,
    '/activity',
    '/refused',
  ];
  for (const path of paths) {
    await test.step(path, async () => {
      await expect(async () => {
        await page.goto(path);
        await expect(page.getByText('<img').filter({ visible: true }).first()).toBeVisible({ timeout: 2000 });
      }).toPass(); // refused requests are written every few seconds, and long ids are shortened
      await expect(page.locator('img[src="x"]')).toHaveCount(0);
      expect(await page.evaluate(() => 'attacked' in window)).toBe(false);
    });
  }
});
