/** A line of CSV (RFC 4180), ending with CRLF. */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

/** Machines send arbitrary text, and spreadsheets run text that starts like a
 * formula. An apostrophe in front marks it as text. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A file name from parts, in lower case and without spaces. */
export const fileName = (parts: readonly (string | null | undefined)[], at: Date): string => {
  const names = parts
    .map((part) =>
      (part ?? '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}.]+/gu, '-')
        .replace(/^[-.]+|[-.]+$/g, ''),
    )
    .filter(Boolean);
  const minute = at.toISOString().slice(0, 16).replace(/[T:]/g, '-');
  return `${['machines', ...names, minute].join('-')}.csv`;
};
