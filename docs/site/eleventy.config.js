// Builds the pages of docs/ as the site that the server shows at /docs/. Runs in docs/.
import highlight from '@11ty/eleventy-plugin-syntaxhighlight';
import anchors from 'markdown-it-anchor';
import { existsSync, readFileSync } from 'node:fs';
import { graphqlPage } from './graphql.js';
import { sections } from './navigation.js';
import { searchIndex } from './search.js';

const base = '/docs/';
const site = new URL('.', import.meta.url);

/** The address of a page: connect.md is /docs/connect, adr/README.md /docs/adr. */
function address(path) {
  const name = path.replace(/^\.?\//, '').replace(/\.md$/, '');
  return name === 'index' ? base : base + name.replace(/\/README$/, '');
}

/** The anchor of a heading, as GitHub makes it. */
const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_ -]/g, '')
    .replaceAll(' ', '-');

/** The target of a link on a page: another page, or undefined for a file that the site has not. */
function target(href, page) {
  if (/^[a-z]+:/.test(href) || href.startsWith('#')) return href;
  const url = new URL(href, `file:///docs/${page}`);
  if (!url.pathname.startsWith('/docs/')) return undefined;
  const path = url.pathname.slice('/docs/'.length);
  if (path.startsWith('images/')) return base + path;
  return path.endsWith('.md') ? address(path) + url.hash : undefined;
}

/** The title of a page, which replaces the name of its file where a link shows it. */
function titleOf(path) {
  const file = new URL('..' + path, site);
  return existsSync(file) ? /^# (.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}

/** Rewrites the links between Markdown files. A link to a source file becomes its text. */
function relink(md) {
  md.core.ruler.push('relink', (state) => {
    const page = state.env.page.inputPath.replace(/^\.\//, '');
    for (const block of state.tokens) {
      const open = [];
      for (const token of block.children ?? []) {
        if (token.type === 'image') token.attrSet('src', target(token.attrGet('src'), page) ?? '');
        if (token.type === 'link_open') {
          const href = target(token.attrGet('href'), page);
          open.push(href);
          const text = block.children[block.children.indexOf(token) + 1];
          if (/^[\w/-]+\.md$/.test(text?.content ?? ''))
            text.content =
              titleOf(new URL(token.attrGet('href'), `file:///${page}`).pathname) ?? text.content;
          if (href) token.attrSet('href', href);
          else Object.assign(token, { type: 'text', tag: '', nesting: 0, content: '' });
        }
        if (token.type === 'link_close' && !open.pop())
          Object.assign(token, { type: 'text', tag: '', nesting: 0, content: '' });
      }
    }
  });
}

/** Puts tables into a box that scrolls, so that a phone shows the page and not only a table. */
function scrollTables(md) {
  md.renderer.rules.table_open = () =>
    '<div class="table" tabindex="0" role="group" aria-label="table"><table>';
  md.renderer.rules.table_close = () => '</table></div>';
}

export default function (config) {
  config.addPlugin(highlight, { preAttributes: { tabindex: 0 } });
  config.setUseGitIgnore(false);
  config.ignores.add('site/**');
  config.ignores.add('wordlist.txt');
  config.amendLibrary('md', (md) => {
    md.set({ html: true });
    md.use(anchors, {
      slugify: slug,
      tabIndex: false,
      permalink: anchors.permalink.headerLink({ safariReaderFix: true }),
    });
    md.use(relink);
    md.use(scrollTables);
  });

  config.addTemplate('graphql.md', graphqlPage(new URL('../../graph/schema/', site)));

  config.addGlobalData('layout', 'page.njk');
  config.addGlobalData('eleventyComputed', {
    title: (data) => /^# (.+)$/m.exec(data.page.rawInput)?.[1].replaceAll('`', ''),
    permalink: (data) =>
      data.permalink
        ? data.permalink
        : address(data.page.inputPath).slice(base.length).replace(/^$/, 'index') + '.html',
    navigation: (data) => navigation(data.collections.all ?? [], data.page.inputPath),
  });
  config.addFilter('outline', (html) =>
    [...html.matchAll(/<h2 id="([^"]+)"[^>]*><a[^>]*>([\s\S]*?)<\/a><\/h2>/g)].map(([, id, title]) => ({
      id,
      title,
    })),
  );

  config.addPassthroughCopy({
    images: 'images',
    'site/assets': 'assets',
    'site/node_modules/minisearch/dist/es/index.js': 'assets/minisearch.js',
    'site/node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2': 'assets/inter.woff2',
    'site/node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2':
      'assets/mono.woff2',
  });
  config.on('eleventy.after', ({ results, directories }) => searchIndex(results, directories.output));

  return {
    dir: { input: '.', includes: 'site/layouts', data: 'site/data', output: '../frontend/dist/docs' },
    templateFormats: ['md'],
    markdownTemplateEngine: false,
  };
}

/** Fails if a page cannot be found in the navigation. Decisions have a list of their own. */
function checkListed(all) {
  const listed = new Set(sections.flatMap((section) => section.pages));
  for (const { inputPath } of all) {
    const name = inputPath.replace(/^\.\//, '').replace(/\.md$/, '');
    if (!listed.has(name) && !name.startsWith('adr/'))
      throw new Error(`docs/${name}.md is not listed in docs/site/navigation.js`);
  }
}

/** The sections with their pages: title, address, and which one is open. */
function navigation(all, open) {
  if (all.length === 0) return []; // Eleventy asks first without the pages
  checkListed(all);
  const byName = new Map(all.map((p) => [p.inputPath.replace(/^\.\//, '').replace(/\.md$/, ''), p]));
  return sections.map((section) => ({
    title: section.title,
    pages: section.pages.map((name) => {
      const page = byName.get(name);
      if (!page) throw new Error(`site/navigation.js lists ${name}, which is not a page of docs/`);
      return { title: page.data.title, url: address(page.inputPath), open: page.inputPath === open };
    }),
  }));
}
