import { connect } from '../../client/connect.ts';
import { readOwnerFile } from '../../api/owner-file.ts';
import { homePaths } from '../../base/paths.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { note, print, printJson } from '../output.ts';

/**
 * Where the app's page is, with the owner's key behind the `#`, which browsers do not send. It is printed and
 * not opened: other users of this machine could read the key among the arguments of the browser's process.
 */
export async function app({ home, json }: VerbOptions): Promise<void> {
  // Says what is wrong where no agent runs.
  connect({ home });
  const file = readOwnerFile(homePaths(home).api);
  if (!file) throw new Failed('The agent is just ending.');
  const address = `${file.url}/app/#token=${file.token}`;
  if (json === true) printJson({ address });
  else {
    print(address);
    note(
      'Open it in a browser on this machine. Who has this address may do what you may, until the agent ends.',
    );
  }
}
