/** The columns of the table of machines. */
export type TableColumn = 'machine' | 'state' | 'version' | 'group' | 'oem' | 'address' | 'why' | 'seen';

export const columnLabel: Record<TableColumn, string> = {
  machine: 'Machine',
  state: 'State',
  version: 'Running',
  group: 'Group',
  oem: 'OEM',
  address: 'Address',
  why: 'Lease or reason',
  seen: 'Seen',
};

const widths: Record<TableColumn, string> = {
  machine: 'minmax(210px, 2fr)',
  state: 'minmax(120px, 1fr)',
  version: 'minmax(70px, 0.7fr)',
  group: 'minmax(90px, 0.9fr)',
  oem: 'minmax(60px, 0.6fr)',
  address: 'minmax(100px, 0.7fr)',
  why: 'minmax(100px, 1fr)',
  seen: '72px',
};

/** The columns that fit a width in px. On a phone a row is a card of two lines. */
export function fitting(width: number, groups: boolean): { columns: TableColumn[]; card: boolean } {
  if (width < 640) return { columns: ['machine', 'state', 'version', 'seen'], card: true };
  const all = Object.keys(widths) as TableColumn[];
  const wide = width >= 940;
  return {
    columns: all.filter(
      (column) => (column !== 'group' || groups) && (wide || (column !== 'oem' && column !== 'address')),
    ),
    card: false,
  };
}

/** Width of the checkboxes. */
const choose = '24px';

/** The value of grid-template-columns. */
export const template = (columns: readonly TableColumn[], card: boolean): string =>
  [choose, ...(card ? ['minmax(0, 1fr) auto'] : columns.map((column) => widths[column]))].join(' ');
