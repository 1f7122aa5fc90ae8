/** What the window opens outside itself; where that fails the person is told why. */
import { notifications } from '@mantine/notifications';
import { bridge, type Bridge } from '../bridge.ts';
import { wordsOf } from './error-notice.tsx';

/** In the file manager. */
export function openFolder(folder: Parameters<Bridge['openFolder']>[0]): void {
  sayWhyNot('The folder cannot be opened', bridge?.openFolder(folder));
}

/** In the person's browser. */
export function openAddress(url: string): void {
  const problem = bridge
    ?.openExternal(url)
    .then((isOpened) =>
      isOpened ? '' : `The app opens no pages of ${new URL(url).host}. The address: ${url}`,
    );
  sayWhyNot('The page cannot be opened', problem);
}

/** @param problem why not; empty: it was opened */
function sayWhyNot(title: string, problem: Promise<string> | undefined): void {
  const say = (message: string): void => {
    if (message !== '') notifications.show({ color: 'red', title, message });
  };
  problem?.then(say, (thrown: unknown) => say(wordsOf(thrown)));
}
