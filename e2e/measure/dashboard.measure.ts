import { expect, type BrowserContext, type Page } from '@playwright/test';
import { signIn, test as base } from '../support/test.ts';
import { Site } from './site.ts';

/** Measures the dashboard in Chromium against the real binary. Server, load, browser
 * and the other dashboards share the machine. */
const machines = Number(process.env['MACHINES'] ?? 1_000_000);
const minutes = Number(process.env['MINUTES'] ?? 60);

const test = base.extend<object, { site: Site }>({
  site: [
    async ({}, use) => {
      const site = await Site.start(machines);
      await use(site);
      await site.server.remove();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ site }, use) => use(site.server.url),
});

function report(what: string, value: number, most: number, unit: string) {
  console.log(`${what.padEnd(64)} ${value.toFixed(1).padStart(9)} ${unit.padEnd(4)} at most ${most}`);
  expect(value, what).toBeLessThanOrEqual(most);
}

const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;

/** Size of the loaded script in kB, compressed. */
const scriptSize = (page: Page) =>
  page.evaluate(
    () =>
      performance
        .getEntriesByType('resource')
        .map((entry) => entry as PerformanceResourceTiming)
        .filter(({ name }) => name.endsWith('.js'))
        .reduce((bytes, { encodedBodySize }) => bytes + encodedBodySize, 0) / 1000,
  );

/** Milliseconds until the page has painted an element, from the click on a link or
 * from the current navigation. */
const paintedAfter = (page: Page, selector: string, link = '') =>
  page.evaluate(
    ([wanted, clicked]) =>
      new Promise<number>((resolve, reject) => {
        const from = clicked ? performance.now() : 0;
        if (clicked) document.querySelector<HTMLElement>(clicked)?.click();
        const look = () => {
          if (performance.now() - from > 30_000) reject(new Error(`no ${wanted}`));
          else if (!document.querySelector(wanted)) requestAnimationFrame(look);
          else requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - from)));
        };
        look();
      }),
    [selector, link] as const,
  );

// The element that makes each page usable.
const fleetReady = 'main a[href^="/apps/"]';
const groupReady = 'main #machines a[href*="/machines/"]';

test('script and time to the first view', async ({ browser, site, page }) => {
  await page.goto('/');
  await expect(page.getByLabel('User name')).toBeVisible();
  report('script of the first view, signed out (gzip or brotli)', await scriptSize(page), 200, 'kB');
  await signIn(page);
  const state = await page.context().storageState();

  for (const [name, path, ready] of [
    ['fleet page', '/', fleetReady],
    ['group page', site.path, groupReady],
  ] as const) {
    const times: number[] = [];
    let size = 0;
    for (let run = 0; run < 7; run++) {
      // A new context, so that nothing is cached.
      const context = await browser.newContext({ storageState: state, baseURL: site.server.url });
      const fresh = await context.newPage();
      await fresh.goto(path, { waitUntil: 'commit' });
      times.push(await paintedAfter(fresh, ready));
      size = await scriptSize(fresh);
      await context.close();
    }
    report(`${name}: script (compressed)`, size, 200, 'kB');
    report(`${name}: interactive, nothing cached, median of 7`, percentile(times, 0.5), 1000, 'ms');
  }
});

test(`the group page opens with ${machines} machines`, async ({ page, site }) => {
  await signIn(page);
  const opened: number[] = [];
  for (let run = 0; run < 21; run++) {
    await page.goto('/');
    const link = `main a[href^="${site.path}"]`;
    await page.locator(link).first().waitFor();
    opened.push(await paintedAfter(page, groupReady, link));
  }
  report(
    'group page: from click to numbers and rows, median of 20',
    percentile(opened.slice(1), 0.5),
    300,
    'ms',
  );
  report('group page: slowest', Math.max(...opened.slice(1)), 1000, 'ms');
});

test('time from a commit to the screen at 1,000 events/s and 100 dashboards', async ({
  page,
  site,
  context,
}) => {
  await signIn(page);
  const asked = subscriptions(page);
  await page.goto(site.path);
  await page.locator(groupReady).first().waitFor();
  const others = await dashboards(context, await asked(), 99);
  await page.bringToFront(); // a hidden page paints once a second
  await watchActivity(page);

  const driving = site.drive(1000, 60);
  const reported = new Map<string, number>();
  for (let n = 0; n < 100; n++) {
    await page.waitForTimeout(500);
    const machine = `probe-${String(n).padStart(4, '0')}`;
    reported.set(machine, await site.fail(machine));
  }
  const load = await driving;
  await page.waitForTimeout(3000);
  const seen = await page.evaluate(() => (window as unknown as Watching).seenAt);
  const delays = [...reported].map(([machine, at]) => (seen[machine] ?? Infinity) - at);
  const messages = await others.messages();
  await others.close();

  console.log(
    `load: ${load.perSecond.toFixed(0)} state changes/s, p99 ${load.p99ms} ms, ${load.errors} errors; ` +
      `99 more dashboards got ${(messages / 60).toFixed(0)} messages/s`,
  );
  expect(load.errors).toBe(0);
  expect(load.perSecond).toBeGreaterThan(950);
  expect(messages).toBeGreaterThan(99 * 60); // they receive messages
  report('event on disk to pixel, median', percentile(delays, 0.5), 1000, 'ms');
  report('event on disk to pixel, p99', percentile(delays, 0.99), 1000, 'ms');
});

test(`${minutes} minutes of a live group page`, async ({ page, site }) => {
  await signIn(page);
  await page.goto(site.path);
  await page.locator(groupReady).first().waitFor();
  const memory = await page.context().newCDPSession(page);
  const heap = async () => {
    await memory.send('HeapProfiler.collectGarbage');
    await memory.send('HeapProfiler.collectGarbage');
    const { usedSize } = await memory.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await memory.send('Memory.getDOMCounters');
    return { heap: usedSize / 1e6, nodes, listeners: jsEventListeners };
  };
  const driving = site.drive(100, minutes * 60);
  // Lists and charts grow at first.
  const settle = Math.min(5, minutes / 4);
  await page.waitForTimeout(settle * 60_000);
  const before = await heap();
  console.log(`after ${settle} min: ${JSON.stringify(before)}`);
  let after = before;
  for (let part = 1; part <= 6; part++) {
    await page.waitForTimeout(((minutes - settle) / 6) * 60_000 - 500);
    after = await heap();
    console.log(
      `after ${(settle + ((minutes - settle) / 6) * part).toFixed(0)} min: ${JSON.stringify(after)}`,
    );
  }
  await driving;
  report('heap after a forced collection, against the beginning', (after.heap / before.heap) * 100, 110, '%');
});

/** The subscription messages that the page sends. */
function subscriptions(page: Page): () => Promise<string[]> {
  const sent: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      if (String(payload).includes('"subscribe"')) sent.push(String(payload));
    }),
  );
  return async () => {
    await page.waitForTimeout(500);
    expect(sent.length).toBeGreaterThan(1);
    return sent;
  };
}

/** Simulates more dashboards: the same subscriptions, each on its own websocket,
 * from one hidden tab. */
async function dashboards(context: BrowserContext, questions: string[], count: number) {
  const tab = await context.newPage();
  await tab.goto('/favicon.svg');
  await tab.evaluate(
    async ([texts, how]) => {
      const counter = window as unknown as { messages: number };
      counter.messages = 0;
      const open = () =>
        new Promise<void>((resolve, reject) => {
          const socket = new WebSocket(`ws://${window.location.host}/graphql`, 'graphql-transport-ws');
          socket.onopen = () => socket.send('{"type":"connection_init"}');
          socket.onerror = () => reject(new Error('refused'));
          socket.onmessage = ({ data }: MessageEvent<string>) => {
            if (data.includes('"connection_ack"')) {
              for (const text of texts) socket.send(text);
              resolve();
            } else if (data.includes('"type":"ping"')) socket.send('{"type":"pong"}');
            else counter.messages++;
          };
        });
      for (let n = 0; n < how; n++) await open();
    },
    [questions, count] as const,
  );
  return {
    messages: () => tab.evaluate(() => (window as unknown as { messages: number }).messages),
    close: () => tab.close(),
  };
}

interface Watching {
  seenAt: Record<string, number>;
}

/** Records when a machine's activity line was painted, in ms since 1970. */
async function watchActivity(page: Page) {
  await page.evaluate(() => {
    const seenAt: Record<string, number> = {};
    (window as unknown as Watching).seenAt = seenAt;
    new MutationObserver(() => {
      const fresh = [...document.querySelectorAll('li code')]
        .map((code) => code.textContent ?? '')
        .filter((text) => text.startsWith('probe-') && !(text in seenAt));
      if (fresh.length === 0) return;
      requestAnimationFrame(() =>
        setTimeout(() => fresh.forEach((machine) => (seenAt[machine] ??= Date.now()))),
      );
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}
