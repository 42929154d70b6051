import base from './playwright.config.ts';

/** `make measure`: measurements one at a time. */
export default {
  ...base,
  testDir: 'measure',
  testMatch: '*.measure.ts',
  outputDir: '../build/measure',
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 2 * 60 * 60_000,
  use: { ...base.use, trace: 'off' as const, screenshot: 'off' as const },
};
