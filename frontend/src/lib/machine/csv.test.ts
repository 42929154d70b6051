import { expect, test } from 'vitest';
import { csvLine, fileName } from './csv';

test('commas, quotes and line breaks are quoted', () =>
  expect(csvLine(['a', 'b,c', 'say "hi"', 'two\nlines', ''])).toBe('a,"b,c","say ""hi""","two\nlines",\r\n'));

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('%j is escaped as text', (text) =>
  expect(csvLine([text]).replace(/^"/, '').startsWith("'")).toBe(true),
);

test('a formula with quotes is escaped and quoted', () =>
  expect(csvLine(['=HYPERLINK("http://evil","x")'])).toBe('"\'=HYPERLINK(""http://evil"",""x"")"\r\n'));

test('a file name describes its content and is safe', () =>
  expect(
    fileName(['Edge agent', 'Prod/EU', null, 'waiting', '../../x'], new Date('2026-11-23T14:02:05Z')),
  ).toBe('machines-edge-agent-prod-eu-waiting-x-2026-11-23-14-02.csv'));
