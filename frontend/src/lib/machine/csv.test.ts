import { expect, test } from 'vitest';
import { csvLine, fileName } from './csv';

test('commas, quotes and line breaks stay in their cell', () =>
  expect(csvLine(['a', 'b,c', 'say "hi"', 'two\nlines', ''])).toBe('a,"b,c","say ""hi""","two\nlines",\r\n'));

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('%j is no formula', (text) =>
  expect(csvLine([text]).replace(/^"/, '').startsWith("'")).toBe(true),
);

test('a formula that needs quotes gets both', () =>
  expect(csvLine(['=HYPERLINK("http://evil","x")'])).toBe('"\'=HYPERLINK(""http://evil"",""x"")"\r\n'));

test('the name of a file says what is in it and is safe for every system', () =>
  expect(
    fileName(['Edge agent', 'Prod/EU', null, 'waiting', '../../x'], new Date('2026-11-23T14:02:05Z')),
  ).toBe('machines-edge-agent-prod-eu-waiting-x-2026-11-23-14-02.csv'));
