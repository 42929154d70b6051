import { expect, test } from 'vitest';
import { browserName } from './browser';

test('a user agent becomes a short name', () => {
  const names = [
    'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0',
    'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1 Version/17.0 Safari/605.1',
    'curl/8.5.0',
    '',
  ].map(browserName);
  expect(names).toEqual([
    'Firefox on Linux',
    'Edge on Windows',
    'Chrome on Android',
    'Safari on macOS',
    'curl',
    'Unknown client',
  ]);
});
