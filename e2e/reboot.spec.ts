import { expect, test, violations } from './support/test.ts';
import { card } from './support/scenarios.ts';

test('who holds a reboot slot, who waits, and a release', async ({ dashboard: page, api, server }) => {
  const rollout = await api.rollout({ rebootSlots: 1 });
  /** Asks for a slot as the Flatcar client does: with a doubled slash. */
  const asks = async (id: string) => {
    const response = await fetch(`${server.url}//v1/pre-reboot`, {
      method: 'POST',
      headers: { 'fleet-lock-protocol': 'true' },
      body: JSON.stringify({ client_params: { id, group: rollout.groupId } }),
    });
    return response.status;
  };
  await page.goto(rollout.path);
  const slots = card(page, 'Reboot slots');
  await expect(slots.getByText('0 of 1 held')).toBeVisible();
  expect(await asks('web-0412')).toBe(200);
  expect(await asks('web-1190')).toBe(409);
  await expect(slots.getByRole('list', { name: 'Machines that hold a slot' })).toContainText('web-0412');
  await expect(
    slots.getByText(/The next machine waits: 1 of 1 reboot slot is held: web-0412 since/),
  ).toBeVisible();
  await slots.getByText('1 machine waits').click();
  await expect(slots.getByRole('list', { name: 'Machines that wait for a slot' })).toContainText('web-1190');
  expect(await violations(page)).toEqual([]);
  await slots.getByRole('button', { name: 'Release…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('scrapped');
  await dialog.getByRole('button', { name: 'Release slot' }).click();
  await expect(dialog).toBeHidden();
  await expect(slots.getByText('No machine reboots.')).toBeVisible();
  expect(await asks('web-1190')).toBe(200);
});
