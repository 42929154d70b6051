import { beforeEach, expect, test } from 'vitest';
import { PagedRows } from './paged-rows.svelte';

interface Row {
  id: string;
  text: string;
}

const id = (n: number) => `m${String(n).padStart(4, '0')}`;
const fleet = (n: number, text = 'old') => Array.from({ length: n }, (_, i) => ({ id: id(i), text }));
const settled = () => new Promise((done) => setTimeout(done));

/** The rows on the server. */
let there: Row[];
let asked: (string | null)[];
let fails = false;
let rows: PagedRows<Row>;

function read(after: string | null) {
  asked.push(after);
  if (fails) return Promise.reject(new Error('no answer'));
  const from = after === null ? 0 : there.findIndex((row) => row.id > after);
  const page = from < 0 ? [] : there.slice(from, from + 10);
  const more = from >= 0 && there.length > from + 10;
  return Promise.resolve({ rows: page, next: more ? (page.at(-1)?.id ?? null) : null });
}

const shown = () => Array.from({ length: rows.count }, (_, i) => rows.at(i)?.id ?? null);

beforeEach(async () => {
  there = fleet(95);
  asked = [];
  fails = false;
  rows = new PagedRows<Row>((row) => row.id, 10);
  rows.start(read);
  await settled();
});

async function scrollTo(first: number) {
  rows.see(first, first + 5);
  await settled();
}

test('only visible pages are loaded, and one page is reserved', async () => {
  expect(asked).toEqual([null]);
  expect(rows.count).toBe(20);
  expect(rows.at(9)?.id).toBe('m0009');
  expect(rows.at(10)).toBeUndefined();
  await scrollTo(4);
  expect(asked).toEqual([null, 'm0009']);
  expect(rows.count).toBe(30);
});

test('the end sets the exact length, and distant pages are dropped and reloaded', async () => {
  for (let at = 0; at < 95; at += 8) await scrollTo(at);
  expect(rows.count).toBe(95);
  expect(rows.at(94)?.id).toBe('m0094');
  expect(rows.at(0)).toBeUndefined();
  expect(shown().filter((row) => row !== null).length).toBeLessThanOrEqual(80);
  await scrollTo(0);
  expect(rows.at(0)?.id).toBe('m0000');
});

test('a full last page has no page after it', async () => {
  there = fleet(20);
  rows.start(read);
  await settled();
  await scrollTo(12);
  expect(rows.count).toBe(20);
});

test('after changes no row is missing or duplicated', async () => {
  await scrollTo(8);
  await scrollTo(18);
  there = there.filter((row) => !['m0003', 'm0004', 'm0017'].includes(row.id));
  there.push({ id: 'm0012a', text: 'new' });
  there.sort((a, b) => (a.id < b.id ? -1 : 1));
  rows.refresh();
  await settled();
  for (let at = 0; at < 85; at += 5) {
    await scrollTo(at);
    const now = Array.from({ length: 6 }, (_, i) => rows.at(at + i)?.id);
    expect(new Set(now).size).toBe(6);
  }
  await scrollTo(0);
  await scrollTo(8);
  expect(shown().slice(0, 20)).toEqual(there.slice(0, 20).map((row) => row.id));
});

test('held rows stay in place, are updated and marked when they leave', async () => {
  rows.hold('pointer');
  there = fleet(95, 'new').filter((row) => row.id !== 'm0002');
  rows.refresh();
  await settled();
  expect(shown().slice(0, 4)).toEqual(['m0000', 'm0001', 'm0002', 'm0003']);
  expect(rows.at(3)?.text).toBe('new');
  expect([1, 2, 3].map((i) => rows.isGone(i))).toEqual([false, true, false]);
  expect(rows.behind).toBe(true);

  rows.release('pointer');
  await settled();
  expect(shown().slice(0, 4)).toEqual(['m0000', 'm0001', 'm0003', 'm0004']);
  expect(rows.behind).toBe(false);
});

test('catching up shows changes at once and keeps holding', async () => {
  rows.hold('pointer');
  there = there.slice(1);
  rows.refresh();
  await settled();
  rows.catchUp();
  await settled();
  expect(rows.at(0)?.id).toBe('m0001');
  there = there.slice(1);
  rows.refresh();
  await settled();
  expect(rows.at(0)?.id).toBe('m0001');
});

test('old rows stay until the next list is loaded, even when held', async () => {
  rows.hold('pointer');
  there = fleet(3, 'other');
  rows.start(read);
  expect(rows.ready).toBe(false);
  expect(rows.at(0)?.text).toBe('old');
  await settled();
  expect(rows.count).toBe(3);
  expect(rows.at(0)?.text).toBe('other');
});

test('a failed load keeps the rows, is not repeated by scrolling, and a refresh recovers', async () => {
  fails = true;
  rows.refresh();
  await settled();
  expect(rows.error?.message).toBe('no answer');
  expect(rows.at(0)?.id).toBe('m0000');
  const before = asked.length;
  await scrollTo(3);
  expect(asked.length).toBe(before);
  fails = false;
  rows.refresh();
  await settled();
  expect(rows.error).toBeNull();
});
