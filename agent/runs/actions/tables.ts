/** One table as read in the page. */
export interface TableData {
  headers: string[];
  rows: string[][];
}

/**
 * In the page: every table among the elements, or inside them: `<table>` and ARIA tables and grids. Cells
 * that span rows or columns count in each of them. Stands alone: it is sent to the page as source.
 */
export function readTables(elements: Element[]): TableData[] {
  const TABLES = 'table,[role=table],[role=grid],[role=treegrid]';
  /** More is not a table to read but a data set to download. */
  const MAX_ROWS = 10_000;
  const MAX_SPAN = 1_000;
  const textOf = (cell: Element) => {
    const control = cell.querySelector('input:not([type=hidden],[type=password]),select,textarea');
    const text = (cell as HTMLElement).innerText || cell.textContent || '';
    if (text.trim() === '' && control instanceof HTMLInputElement)
      return /checkbox|radio/.test(control.type) ? String(control.checked) : control.value;
    return text.replace(/\s+/g, ' ').trim();
  };
  const tables = elements.flatMap((el) => (el.matches(TABLES) ? [el] : [...el.querySelectorAll(TABLES)]));
  return tables.map((table) => {
    const rowElements = [...table.querySelectorAll('tr,[role=row]')]
      .filter((row) => row.closest(TABLES) === table)
      .slice(0, MAX_ROWS);
    const grid: string[][] = [];
    const isHeader: boolean[] = [];
    for (const [index, row] of rowElements.entries()) {
      const line = (grid[index] ??= []);
      const cells = [
        ...row.querySelectorAll('th,td,[role=cell],[role=gridcell],[role=columnheader],[role=rowheader]'),
      ].filter((cell) => cell.closest('tr,[role=row]') === row);
      isHeader[index] =
        row.closest('thead') !== null ||
        (cells.length > 0 && cells.every((cell) => cell.matches('th:not([scope=row]),[role=columnheader]')));
      let column = 0;
      for (const cell of cells) {
        while (line[column] !== undefined) column += 1;
        const span = (name: string) => Math.min(MAX_SPAN, Math.max(1, Number(cell.getAttribute(name)) || 1));
        const [wide, high] = [span('colspan'), span('rowspan')];
        const text = textOf(cell);
        for (let down = 0; down < high && index + down < rowElements.length; down += 1) {
          const target = (grid[index + down] ??= []);
          for (let across = 0; across < wide; across += 1) target[column + across] = text;
        }
        column += wide;
      }
    }
    // The last of several header rows names the columns; a table without any has its first row as header.
    let headerAt = isHeader.findLastIndex((is, index) => is && isHeader.slice(0, index).every(Boolean));
    if (headerAt < 0 && grid.length > 1 && !table.querySelector('tbody th[scope=row]')) headerAt = 0;
    const seen = new Map<string, number>();
    const width = Math.max(0, ...grid.map((line) => line.length));
    const headers = Array.from({ length: width }, (_, column) => {
      const name = grid[headerAt]?.[column] || `column_${column + 1}`;
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return count === 1 ? name : `${name} ${count}`;
    });
    const rows = grid
      .filter((_, index) => index > headerAt && !isHeader[index])
      .filter((line) => line.length > 0)
      .map((line) => Array.from({ length: width }, (_, column) => line[column] ?? ''));
    return { headers, rows };
  });
}

/** The column by its header: the exact name first, else the first that contains it; a number counts from 1. */
export function columnIndex(headers: readonly string[], wanted: string): number {
  const fold = (text: string) => text.toLowerCase().replace(/\s+/g, ' ').trim();
  const folded = headers.map(fold);
  const exact = folded.indexOf(fold(wanted));
  if (exact >= 0) return exact;
  const partial = folded.findIndex((header) => header.includes(fold(wanted)));
  if (partial >= 0) return partial;
  const number = Number(wanted);
  return Number.isInteger(number) && number >= 1 && number <= headers.length ? number - 1 : -1;
}
