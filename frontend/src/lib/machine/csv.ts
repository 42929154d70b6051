/** RFC 4180: a header line, commas, CRLF. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

/** A machine says about itself what it likes, and a table calculator takes a text
 * that begins like a formula for one. The apostrophe makes it a text again. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What is in a file, from the parts that are given: lower case, no blanks. */
export const fileName = (parts: readonly (string | null | undefined)[], at: Date): string => {
  const words = parts
    .map((part) =>
      (part ?? '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}.]+/gu, '-')
        .replace(/^[-.]+|[-.]+$/g, ''),
    )
    .filter(Boolean);
  const minute = at.toISOString().slice(0, 16).replace(/[T:]/g, '-');
  return `${['machines', ...words, minute].join('-')}.csv`;
};
