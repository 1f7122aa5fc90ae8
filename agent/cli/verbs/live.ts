import { readOwnerFile } from '../../api/owner-file.ts';
import { homePaths } from '../../base/paths.ts';
import { Failed, WrongUse, type VerbOptions } from '../main-types.ts';
import { note, print, printJson } from '../output.ts';
import { reachable } from './control.ts';

/** Where VNC clients watch, and the password of this start of the agent; `password`: that alone. */
export async function live({ home, json }: VerbOptions, [what = 'show']: string[]): Promise<void> {
  if (what !== 'show' && what !== 'password') throw new WrongUse(`live ${what}: use show or password`);
  // Says what is wrong where no agent runs.
  reachable(home);
  const vnc = readOwnerFile(homePaths(home).api)?.vnc;
  if (!vnc) {
    throw new Failed(
      'There is no port for VNC clients: live.tcp_port is 0. Set it and start the agent again: local-browser-agent config set live.tcp_port 5901',
    );
  }
  if ('problem' in vnc) throw new Failed(vnc.problem);
  const address = `127.0.0.1::${vnc.port}`;
  if (json === true) printJson({ host: '127.0.0.1', port: vnc.port, password: vnc.password });
  else if (what === 'password') print(vnc.password);
  else {
    print(`address    ${address}`);
    print(`password   ${vnc.password}`);
    note(`For example: xtigervncviewer ${address}. It shows the newest run, to watch only.`);
  }
}
