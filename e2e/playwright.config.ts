import { defineConfig } from '@playwright/test';
import { existsSync } from 'node:fs';

/** The headless shell needs three quarters of Chromium's processor time. */
const browsers = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

export default defineConfig({
  testDir: '.',
  outputDir: '../build/e2e',
  reporter: process.env['CI'] ? [['list'], ['github']] : 'list',
  // Every worker starts its own server. Most tests wait for simulated machines, so two cores serve four.
  workers: 4,
  fullyParallel: true,
  forbidOnly: !!process.env['CI'],
  // In CI a test that failed is run again, because the machine is shared; the summary lists it as flaky.
  retries: process.env['CI'] ? 1 : 0,
  // Generous, because the machine may be busy.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  use: {
    // Without the recorded pictures, which cost CPU time in every test and help only in one that fails.
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? browsers.find((path) => existsSync(path)),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
