import { test as base, expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { Api, type Rollout } from './api.ts';
import { newDatabase } from './postgres.ts';
import { Server } from './server.ts';

/** Default behaviour of simulated machines: a check every few seconds, no failures,
 * fast updates. */
const behaviour = {
  kind: 'program',
  speed: 600,
  interval: '30m',
  download: '5m',
  install: '2m',
  reboot: '1m',
  failure: 0,
  rollback: 0,
  silence: 0,
  deferral: 0,
  interruption: 0,
};

/** Simulates machines of a rollout until the test ends. */
export type Machines = (rollout: Rollout, flags: Record<string, string | number>) => void;

interface Test {
  machines: Machines;
  /** A page that is signed in as the administrator and has nothing open yet. */
  dashboard: Page;
}

interface Worker {
  /** One server on SQLite, shared with other tests or alone, or two on one PostgreSQL. */
  deployment: 'one server' | 'a server alone' | 'two servers';
  /** The browser uses the first, the machines the last. */
  servers: readonly [Server, ...Server[]];
  server: Server;
  api: Api;
}

export const test = base.extend<Test, Worker>({
  deployment: ['one server', { scope: 'worker', option: true }],
  servers: [
    async ({ deployment }, use) => {
      if (deployment !== 'two servers') {
        const server = await Server.start(undefined, [
          '--inspect-from',
          '127.0.0.0/8',
          '--notify-to',
          '127.0.0.0/8',
        ]);
        await use([server]);
        await server.remove();
        return;
      }
      const database = await newDatabase();
      const start = () => Server.start(undefined, ['--database-url', database.url]);
      const servers = [await start(), await start()] as const;
      await use(servers);
      await Promise.all(servers.map((server) => server.remove()));
      await database.drop();
    },
    { scope: 'worker' },
  ],
  server: [async ({ servers }, use) => use(servers[0]), { scope: 'worker' }],
  api: [async ({ server }, use) => use(new Api(server.url)), { scope: 'worker' }],
  baseURL: async ({ server }, use) => use(server.url),
  machines: async ({ servers }, use) => {
    const server = servers[servers.length - 1] ?? servers[0];
    const running: { stop: () => Promise<void> }[] = [];
    await use((rollout, flags) => {
      running.push(
        server.machines({ ...behaviour, app: rollout.applicationId, track: rollout.track, ...flags }),
      );
    });
    await Promise.all(running.map((fleet) => fleet.stop()));
  },
  dashboard: async ({ page }, use) => {
    const answer = await page.request.post('/graphql', {
      data: {
        query: 'mutation { signIn(input: { username: "admin", password: "admin" }) { user { username } } }',
      },
    });
    expect(await answer.json()).toEqual({ data: { signIn: { user: { username: 'admin' } } } });
    await use(page);
  },
});

/** Signs in on the page, as a user does. */
export async function signIn(page: Page) {
  await page.goto('/');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('admin');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
}

/** Opens the first page and waits until it handles clicks and keys. */
export async function openFleet(page: Page) {
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
}

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** The rules of axe whose result depends on colors. */
export const colorRules = ['color-contrast', 'link-in-text-block'];

/** The accessibility violations that axe finds on the page, for all rules or some. */
export async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  return page.evaluate(async (rules) => {
    const { axe } = window as unknown as {
      axe: { run: (what: Document, how: object) => Promise<AxeResults> };
    };
    interface AxeResults {
      violations: { id: string; help: string; nodes: { html: string }[] }[];
    }
    // A color that is still changing with the theme has too little contrast.
    const changing = document
      .getAnimations()
      .filter((a) => a.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(changing.map((a) => a.finished));
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    // For passed rules axe then reports only one node each, which is faster.
    const { violations } = await axe.run(document, { runOnly: rules ?? tags, resultTypes: ['violations'] });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
  }, rules);
}

export { expect };
