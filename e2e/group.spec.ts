import { expect, test } from './support/test.ts';
import { card, figure, openWave2, state, followHalt, followRollout } from './support/scenarios.ts';

test('the group page follows a rollout from start to end without reload', followRollout);

test('the pause dialog opens by address, states the impact, and stops grants', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ maxConcurrentUpdates: 2 });
  // With this many machines the rollout does not end before the pause, even on a busy computer.
  machines(rollout, { machines: 150, versions: '1.0.0' });
  await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(150);
  await page.goto(rollout.path);
  await expect(state(page)).toHaveText(/Rolling out/);
  await page.goto(`${rollout.path}?do=pause`);
  const dialog = page.getByRole('dialog', { name: `Pause ${rollout.name}?` });
  await expect(dialog).toContainText(/150 machines in 1 group; .*wait/);
  await dialog.getByLabel(/Reason/).fill('mirror overloaded');
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await expect(dialog).toBeHidden();
  await expect(page).not.toHaveURL(/do=/);
  await expect(state(page)).toHaveText(/Paused/);
  await expect(page.getByText('Paused by admin: “mirror overloaded”')).toBeVisible();

  const { granted } = (await api.numbers(rollout.groupId)).funnel;
  await expect(figure(page, 'in flight')).toHaveText(/^0/);
  await expect(page.getByRole('link', { name: /^Paused/ })).toBeVisible();
  expect((await api.numbers(rollout.groupId)).funnel.granted).toBe(granted);

  await page.getByRole('button', { name: 'Resume' }).click();
  const resume = page.getByRole('dialog');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(resume).toContainText('Enter a reason');
  await resume.getByLabel('Reason').fill('mirror is back');
  await resume.getByRole('button', { name: 'Resume' }).click();
  await expect(state(page)).toHaveText(/Rolling out/);
  await expect.poll(async () => (await api.numbers(rollout.groupId)).funnel.granted).toBeGreaterThan(granted);
});

test('a halted rollout shows the rule, the numbers and the machines', followHalt);

test('a wave that needs approval waits and says so', async ({ dashboard: page, api, machines }) => {
  const rollout = await api.rollout({
    maxConcurrentUpdates: 50,
    waves: [{ share: 0.3, minFinished: 1, approval: true }, { share: 1 }],
  });
  machines(rollout, { machines: 30, versions: '1.0.0' });
  await page.goto(rollout.path);
  const open = page.getByRole('button', { name: 'Open wave 2' });
  await expect(open).toBeVisible({ timeout: 90_000 });
  await expect(page.getByRole('list', { name: 'Before wave 2 opens' })).toContainText('needs approval');
  const { granted } = (await api.numbers(rollout.groupId)).funnel;
  expect(granted).toBeLessThan(30);
  await openWave2(page, 'the first wave looks well');
  await expect(state(page)).toHaveText(/wave 2 of 2|Up to date/);
  await expect(state(page)).toHaveText(/Up to date/, { timeout: 90_000 });
  await expect(open).toBeHidden();
});

test('the chart works by keyboard and as a table, and its range is in the address', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ maxConcurrentUpdates: 4 });
  machines(rollout, { machines: 20, versions: '1.0.0' });
  await page.goto(rollout.path);
  await expect(state(page)).toHaveText(/Up to date/, { timeout: 90_000 });

  const chart = card(page, 'Machines by state');
  const readout = chart.getByRole('slider');
  await expect(chart.locator('canvas')).toBeVisible();
  await expect(chart.getByRole('list', { name: 'Legend' })).toContainText('on target 20');
  await readout.focus();
  await expect(readout).toHaveAttribute('aria-valuetext', /on target 20/);
  const last = Number(await readout.getAttribute('aria-valuenow'));
  await page.keyboard.press('Home');
  await expect(readout).toHaveAttribute('aria-valuenow', '0');
  await page.keyboard.press('ArrowRight');
  await expect(readout).toHaveAttribute('aria-valuenow', '1');
  expect(last).toBeGreaterThan(1);
  await page.keyboard.press('Escape');
  await expect(chart.getByRole('list', { name: 'Legend' })).toContainText('now');

  await chart.getByRole('button', { name: 'View as table' }).click();
  const table = page.getByRole('region', { name: 'Machines by state, as a table' });
  await expect(table.getByRole('columnheader')).toContainText([
    'Time',
    'on target',
    'in flight',
    'failed',
    'waiting',
  ]);
  await expect(table.getByRole('row').nth(1)).toContainText('20');
  await expect(table).toContainText('finished');
  await chart.getByRole('button', { name: 'View as table' }).click();

  await chart.getByRole('link', { name: '7 d' }).click();
  await expect(page).toHaveURL(/range=WEEK/);
  await expect(chart.getByRole('link', { name: '7 d' })).toHaveAttribute('aria-current', 'true');
  await chart.getByRole('link', { name: 'Versions' }).click();
  await expect(page).toHaveURL(/range=WEEK.*chart=versions|chart=versions.*range=WEEK/);
  const versions = card(page, 'Machines by version');
  await expect(versions.getByRole('list', { name: 'Legend' })).toContainText('2.0.0 20');
  await page.reload();
  await expect(versions.getByRole('link', { name: '7 d' })).toHaveAttribute('aria-current', 'true');
});

test('Explain finds a machine by its alias and opens its page', async ({
  dashboard: page,
  api,
  machines,
}) => {
  const rollout = await api.rollout({ updatesEnabled: false });
  machines(rollout, { machines: 12, versions: '1.0.0', kind: 'daemon', alias: 'till' });
  await page.goto(rollout.path);
  await expect(figure(page, 'waiting')).toHaveText(/^12/);
  await page.getByRole('button', { name: 'Explain…' }).click();
  const dialog = page.getByRole('dialog');
  const found = dialog.getByRole('list', { name: 'Machines found' });
  await expect(found.getByRole('link')).toHaveCount(8);
  await dialog.getByRole('textbox').fill('till-0003');
  await expect(found.getByRole('link')).toHaveCount(1);
  await dialog.getByRole('textbox').press('Enter');
  await expect(page).toHaveURL(/\/machines\//);
  await expect(page.getByRole('main')).toContainText('till-0003');
});

test('a removed chart leaves no nodes or listeners behind', async ({ dashboard: page, api, machines }) => {
  const rollout = await api.rollout();
  machines(rollout, { machines: 10, versions: '1.0.0' });
  await page.goto(rollout.path);
  await expect(state(page)).toHaveText(/Up to date/, { timeout: 90_000 });
  const session = await page.context().newCDPSession(page);
  const count = async () => {
    await session.send('HeapProfiler.collectGarbage');
    return session.send('Memory.getDOMCounters');
  };
  const turn = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const button = card(page, 'Machines by state').getByRole('button', { name: 'View as table' });
      await button.click();
      await expect(card(page, 'Machines by state').locator('canvas')).toBeHidden();
      await button.click();
      await expect(card(page, 'Machines by state').locator('canvas')).toBeVisible();
    }
  };
  await turn(3);
  const before = await count();
  await turn(20);
  const after = await count();
  // A leak would add about 15 nodes and as many listeners each time.
  expect(after.nodes - before.nodes).toBeLessThan(150);
  expect(after.jsEventListeners - before.jsEventListeners).toBeLessThan(60);
});

test.describe('in a zone whose hours begin at half past', () => {
  test.use({ timezoneId: 'Asia/Kabul' });

  test('the clock of the sidebar switches all times, also on charts', async ({
    dashboard: page,
    api,
    machines,
  }) => {
    await page.addInitScript(() => {
      const painted: string[] = [];
      const paint = CanvasRenderingContext2D.prototype.fillText;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
        painted.push(text);
        paint.call(this, text, ...where);
      };
      Object.assign(window, { painted });
    });
    /** Hour of the time that was painted last, as a label of an axis. */
    const paintedHour = () =>
      page.evaluate(() =>
        (window as unknown as { painted: string[] }).painted
          .findLast((text) => /\d\d:\d\d$/.test(text))
          ?.slice(-5, -3),
      );
    const rollout = await api.rollout();
    machines(rollout, { machines: 10, versions: '1.0.0' });
    await expect.poll(async () => (await api.numbers(rollout.groupId)).total).toBe(10);
    await page.goto(`${rollout.path}?range=HOUR`);
    const event = card(page, 'Activity').getByRole('time').last();
    const at = new Date((await event.getAttribute('datetime')) ?? '');
    const chart = page.getByRole('slider', { name: /^Machines by state/ });

    /** Checks that the list and the axis of the chart, which shows an hour, are in a zone. */
    const shown = async (zone: string, short: RegExp) => {
      const clock = (time: Date) =>
        time.toLocaleTimeString('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
      await expect(page.getByText(new RegExp(`^\\d+ \\w+ \\d{4}, \\d\\d:\\d\\d · ${zone}$`))).toBeVisible();
      await expect(event).toContainText(clock(at));
      await expect(event).toHaveAttribute('title', short);
      const hours = [0, 1].map((ago) => clock(new Date(Date.now() - ago * 3_600_000)).slice(0, 2));
      await expect.poll(async () => hours.includes((await paintedHour()) ?? '')).toBe(true);
      await chart.press('End');
      await expect(chart).toHaveAttribute('aria-valuetext', new RegExp(`^${hours[0]}:\\d\\d`));
      await chart.press('Escape');
    };
    await shown('Asia/Kabul', /GMT\+4:30$/);
    await page.getByRole('group', { name: 'Time zone' }).getByRole('radio', { name: 'UTC' }).check();
    await shown('UTC', /UTC$/);
  });
});
