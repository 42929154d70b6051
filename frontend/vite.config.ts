import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const server = process.env['COREROLLER_URL'] ?? 'http://127.0.0.1:8000';

/** Adds an attribute that Vite drops. Without it the page is first painted in the
 * system's theme and then in the chosen one. */
const blockRendering: Plugin = {
  name: 'block-rendering',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
  },
};

/** What most pages use, in one file: many small files are larger in sum, and each is listed in the files
 * that import it. Not what loads bits-ui, which some pages do without. */
const shared = {
  name: 'shared',
  test: /src\/lib\/(api|lazy|paths|ui\/(?!dialog|confirm|select|menu|moment|hint))|@lucide/,
  minShareCount: 8,
};

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), blockRendering],
  resolve: {
    alias: { $lib: path('./src/lib') },
    // Without it vitest picks Svelte's server build.
    ...(mode === 'test' ? { conditions: ['browser'] } : {}),
  },
  build: {
    rolldownOptions: {
      input: { main: path('./index.html'), playground: path('./playground/index.html') },
      output: { codeSplitting: { groups: [shared] } },
      // React marks its modules "use client", which has no effect here.
      onwarn: (warning, warn) => {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
    // The server's Content-Security-Policy has no data: for scripts or styles.
    assetsInlineLimit: 0,
    target: 'es2022',
    // GraphiQL is one large chunk, on its own page only.
    chunkSizeWarningLimit: 1100,
  },
  server: {
    proxy: { '/graphql': { target: server, ws: true }, '/export': server, '/healthz': server },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'scripts/*.test.js'],
    // Files share modules and the DOM: loading Svelte for each file took most of the time. So a test
    // undoes what it changes.
    isolate: false,
    // Generous, because the machine may be busy.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
}));
