// The theme that was chosen in the dashboard, the menu on a wide screen, and the search.

const choice = localStorage.getItem('coreroller.theme');
if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice;

const wide = matchMedia('(min-width: 60rem)');

/** The menu is always open on a wide screen. */
function placeMenu() {
  const menu = document.querySelector('.menu');
  if (menu) menu.open = wide.matches;
}

addEventListener('DOMContentLoaded', () => {
  placeMenu();
  wide.addEventListener('change', placeMenu);
  document.querySelector('[aria-current=page]')?.scrollIntoView({ block: 'nearest' });
  search();
});

/** Loads the texts at the first use. */
let index;
function load() {
  index ??= (async () => {
    const [{ default: MiniSearch }, entries] = await Promise.all([
      import('./minisearch.js'),
      fetch('/docs/search.json').then((r) => r.json()),
    ]);
    const mini = new MiniSearch({
      fields: ['heading', 'page', 'text'],
      storeFields: ['heading', 'page', 'address'],
      searchOptions: { boost: { heading: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: 'AND' },
    });
    mini.addAll(entries);
    return mini;
  })();
  return index;
}

function search() {
  const input = document.querySelector('#search');
  const list = document.querySelector('#results');
  let chosen = -1;

  const choose = (n) => {
    const options = [...list.children];
    chosen = options.length ? (n + options.length) % options.length : -1;
    options.forEach((o, i) => o.setAttribute('aria-selected', i === chosen));
    options[chosen]?.scrollIntoView({ block: 'nearest' });
    if (chosen >= 0) input.setAttribute('aria-activedescendant', options[chosen].id);
    else input.removeAttribute('aria-activedescendant');
  };

  const close = () => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    choose(-1);
  };

  const show = async () => {
    const asked = input.value.trim();
    if (asked === '') return close();
    const found = (await load()).search(asked).slice(0, 12);
    if (input.value.trim() !== asked) return; // typed on meanwhile
    list.replaceChildren(...found.map(option));
    if (found.length === 0)
      list.append(
        Object.assign(document.createElement('li'), { textContent: 'Nothing found', className: 'none' }),
      );
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    choose(found.length ? 0 : -1);
  };

  input.addEventListener('focus', load, { once: true });
  input.addEventListener('input', show);
  input.addEventListener('keydown', (e) => {
    if (e.key === 'ArrowDown') choose(chosen + 1);
    else if (e.key === 'ArrowUp') choose(chosen - 1);
    else if (e.key === 'Escape') close();
    else if (e.key === 'Enter') list.children[chosen]?.querySelector('a')?.click();
    else return;
    e.preventDefault();
  });
  document.addEventListener('click', (e) => {
    if (!e.target.closest('search')) close();
  });
  addEventListener('keydown', (e) => {
    if (e.key === '/' && !e.target.closest('input')) {
      e.preventDefault();
      input.focus();
    }
  });
}

/** One result: the heading, and the page below it. */
function option(entry, i) {
  const item = document.createElement('li');
  item.id = `result-${i}`;
  item.role = 'option';
  const link = Object.assign(document.createElement('a'), { href: entry.address, tabIndex: -1 });
  link.append(Object.assign(document.createElement('span'), { textContent: entry.heading }));
  if (entry.page !== entry.heading)
    link.append(Object.assign(document.createElement('small'), { textContent: entry.page }));
  item.append(link);
  return item;
}
