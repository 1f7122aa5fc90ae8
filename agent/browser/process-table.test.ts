import { platform } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseProcStat, parsePs, parseWindows, psProcessTable, systemProcessTable } from './process-table.ts';

describe('the process table', () => {
  it('shows this very process, the same each time it is asked', async () => {
    const table = systemProcessTable();
    const once = await table.get(process.pid);
    const again = (await table.list()).find((info) => info.pid === process.pid);
    expect(once).toEqual(again);
    expect(once?.parentPid).toBe(process.ppid);
    expect(once?.command).toContain('node');
  });

  it('knows nothing of a pid that nobody has', async () => {
    expect(await systemProcessTable().get(2 ** 30)).toBeUndefined();
  });

  it.skipIf(platform() === 'win32')('read through ps gives the same processes', async () => {
    const table = psProcessTable();
    const info = await table.get(process.pid);
    expect(info).toMatchObject({ pid: process.pid, parentPid: process.ppid });
    expect((await table.list()).find(({ pid }) => pid === process.pid)?.started).toBe(info?.started);
    expect(await table.get(2 ** 22 + 1)).toBeUndefined();
  });
});

describe('a line of /proc/PID/stat', () => {
  it('is read right where the process name holds spaces and parentheses', () => {
    const rest = `S 12 34 ${'0 '.repeat(16)}5678 0 0`;
    expect(parseProcStat(`99 (a) b (c)) ${rest}`)).toEqual({ parentPid: 12, groupPid: 34, startOrder: 5678 });
  });

  it('of a zombie is no process', () => {
    expect(parseProcStat(`99 (x) Z 12 34 ${'0 '.repeat(16)}5678`)).toBeUndefined();
  });
});

it('ps output as macOS writes it is understood, zombies left out', () => {
  const text = [
    '    1     0     1 Ss   Fri Nov  7 03:16:09 2025     /sbin/launchd',
    '  501     1   501 S+   Fri Nov 21 13:00:00 2025     /Applications/Google Chrome.app/Contents/MacOS/Google Chrome --user-data-dir=/Users/a b/p',
    '  502   501   501 Z    Fri Nov 21 13:00:00 2025     (Google Chrome)',
  ].join('\n');
  const rows = parsePs(text);
  expect(rows.map((row) => row.pid)).toEqual([1, 501]);
  expect(rows[1]).toMatchObject({
    parentPid: 1,
    groupPid: 501,
    started: 'Fri Nov 21 13:00:00 2025',
    command: '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome --user-data-dir=/Users/a b/p',
  });
  expect(rows[1]!.startOrder).toBeGreaterThan(rows[0]!.startOrder);
});

it('what PowerShell writes is understood: nothing, one object, several', () => {
  const row = { pid: 4, parent: 0, started: '133765432101234567', command: 'chrome.exe' };
  expect(parseWindows('\r\n')).toEqual([]);
  expect(parseWindows(JSON.stringify(row))).toMatchObject([{ pid: 4, started: row.started, groupPid: null }]);
  expect(parseWindows(JSON.stringify([row, { ...row, pid: 5 }])).map((info) => info.pid)).toEqual([4, 5]);
});
