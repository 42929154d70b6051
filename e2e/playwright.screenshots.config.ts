import base from './playwright.config.ts';

/** `make screenshots`: the images of docs/dashboard.md, from the demo fleet. */
export default {
  ...base,
  testDir: 'screenshots',
  testMatch: '*.shots.ts',
  outputDir: '../build/screenshots',
  fullyParallel: false,
  workers: 1,
  timeout: 15 * 60_000,
  use: { ...base.use, trace: 'off' as const, contextOptions: { reducedMotion: 'reduce' as const } },
};
