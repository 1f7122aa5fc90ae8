import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url));

const VNC_COMMANDS = ['Xvfb', 'vncsnapshot', 'xtigervncviewer', 'xtightvncviewer'];

/** A PATH of one folder, whose apt-get writes down what it is asked for and installs empty programs. */
function machine(...programs: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'lba-setup-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const add = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  for (const name of programs) add(name, '#!/bin/sh\n');
  const log = join(folder, 'apt.log');
  return {
    log: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    withAptGet: (...installs: string[]) => {
      const made = installs.map((name) => `: > ${folder}/${name}; /bin/chmod 755 ${folder}/${name}`);
      add('apt-get', ['#!/bin/sh', `echo "$*" >> ${log}`, ...made, 'exit 0', ''].join('\n'));
    },
    setup: (...args: string[]) => {
      const env = { PATH: folder, HOME: folder, PLAYWRIGHT_BROWSERS_PATH: folder };
      return spawnSync(process.execPath, [script, ...args], { env, encoding: 'utf8' });
    },
  };
}

const hasChannel = ['/opt/google/chrome/chrome', '/opt/microsoft/msedge/msedge'].some((path) =>
  existsSync(path),
);
const isDebianRoot =
  process.getuid?.() === 0 &&
  existsSync('/etc/os-release') &&
  /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));

describe.skipIf(process.platform !== 'linux' || hasChannel)('setup', () => {
  it('says one line and installs nothing where all is there', () => {
    const full = machine('chromium', 'ffmpeg');
    full.withAptGet();
    const { status, stderr, stdout } = full.setup();
    expect([status, stdout, full.log()]).toEqual([0, '', []]);
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/^setup: Node v\d+.*chromium.*ffmpeg/)]);
  });

  it('without a browser fails and says what to run; without ffmpeg it only warns', () => {
    const { status, stderr } = machine('ffmpeg').setup('--check');
    expect(status).toBe(1);
    expect(stderr).toMatch(/No browser was found\. Run:[^]*apt-get install[^]*chromium/);
    const noVideo = machine('chromium').setup('--check');
    expect(noVideo.status).toBe(0);
    expect(noVideo.stderr).toMatch(/warning: no ffmpeg/);
  });

  it.runIf(isDebianRoot)('as root on Debian installs what is missing, and nothing else', () => {
    const bare = machine();
    bare.withAptGet('chromium', 'ffmpeg', 'aws', 'curl', 'openssl', ...VNC_COMMANDS);
    const { status, stderr } = bare.setup('--for-tests');
    expect([status, stderr]).toEqual([0, expect.stringContaining('setup: installing chromium, ffmpeg')]);
    expect(bare.log()).toEqual([
      expect.stringMatching(/update$/),
      expect.stringMatching(
        /install --no-install-recommends chromium ffmpeg (fonts-liberation )?awscli curl openssl xvfb vncsnapshot tigervnc-viewer xtightvncviewer$/,
      ),
    ]);
  });
});
