import { test as base, expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { Api, type Rollout } from './api.ts';
import { Server } from './server.ts';

/** How the machines of a test behave unless it says otherwise: they ask every
 * few seconds, never fail, and are done quickly. */
const habits = {
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

interface Test {
  /** Lets machines of a rollout run until the test ends. */
  machines: (rollout: Rollout, flags: Record<string, string | number>) => void;
  /** The dashboard, signed in as the administrator. */
  dashboard: Page;
}

interface Worker {
  server: Server;
  api: Api;
}

export const test = base.extend<Test, Worker>({
  server: [
    // Playwright reads the names of what a fixture needs from its pattern.
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.remove();
    },
    { scope: 'worker' },
  ],
  api: [async ({ server }, use) => use(new Api(server.url)), { scope: 'worker' }],
  baseURL: async ({ server }, use) => use(server.url),
  machines: async ({ server }, use) => {
    const running: { stop: () => Promise<void> }[] = [];
    await use((rollout, flags) => {
      running.push(
        server.machines({ ...habits, app: rollout.applicationId, track: rollout.track, ...flags }),
      );
    });
    await Promise.all(running.map((fleet) => fleet.stop()));
  },
  dashboard: async ({ page }, use) => {
    await signIn(page);
    await use(page);
  },
});

export async function signIn(page: Page) {
  await page.goto('/');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('admin');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Fleet', level: 1 })).toBeVisible();
}

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** What axe finds wrong on the page, in words. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run: (what: Document, how: object) => Promise<AxeResults> };
    };
    interface AxeResults {
      violations: { id: string; help: string; nodes: { html: string }[] }[];
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await axe.run(document, { runOnly: tags });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
  });
}

export { expect };
