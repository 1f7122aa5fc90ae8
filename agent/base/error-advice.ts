/**
 * What each error name means to a person, and what to do next: the one place for these words. Free of Node,
 * so that the window may use it, too.
 */
import type { ErrorName } from './errors.ts';

export interface Advice {
  /** A few words, in place of the name. */
  title: string;
  /** What happened and why, in a sentence. */
  meaning: string;
  /** What to try, most likely help first. */
  steps: readonly string[];
}

const ADVICE: Record<ErrorName, Advice> = {
  'BrowserAgent.InvalidInput': {
    title: 'Something it was given does not fit',
    meaning: 'A variable, a setting or the task itself has a value that the script cannot use.',
    steps: ['Read the message: it names the value.', 'Correct it where it was given, and run again.'],
  },
  'BrowserAgent.InvalidScript': {
    title: 'The script has mistakes',
    meaning: 'The script does not follow the format, so no browser was started.',
    steps: [
      'Open the script in the editor: each mistake is marked in its line.',
      'Press Validate until none is left.',
    ],
  },
  'BrowserAgent.PolicyDenied': {
    title: 'It went where it may not go',
    meaning: 'The script or a page led to a website that is not on the list of allowed ones.',
    steps: [
      'Check that the address in the message is one that you expect.',
      'If it is, ask whoever keeps the script or the settings to add the website to allowed_domains.',
    ],
  },
  'BrowserAgent.ProfileNotFound': {
    title: 'The profile does not exist here',
    meaning: 'The script asks for a browser profile that this computer does not have.',
    steps: ['Create a profile with that name and sign in once.', 'Or correct the name in the script.'],
  },
  'BrowserAgent.ProfileBusy': {
    title: 'The profile is in use',
    meaning: 'Another run or a browser window has this profile open, and only one may at a time.',
    steps: [
      'Wait for the other run to end, or close the browser window that uses the profile.',
      'For runs side by side set session.clone_for_parallel in the script.',
    ],
  },
  'BrowserAgent.LoginRequired': {
    title: 'Nobody is signed in',
    meaning: 'The website wants a sign-in, and the profile has none that still counts.',
    steps: ['Open Profiles, press Sign in, and sign in to the website.', 'Then run it again.'],
  },
  'BrowserAgent.BrowserUnavailable': {
    title: 'The browser did not start, or ended',
    meaning: 'No usable browser was found, it crashed, or its window was closed.',
    steps: [
      'Run it again: a crash is mostly over then.',
      'Open Settings, Browser, to see which browser is used, or to install one.',
      'Close other programs when memory is short.',
    ],
  },
  'BrowserAgent.NavigationFailed': {
    title: 'The page did not open',
    meaning: 'The website could not be reached, or answered with an error.',
    steps: [
      'Open the address of the message in your own browser.',
      'Check the network, a VPN or a proxy.',
      'If the website is down, run again later.',
    ],
  },
  'BrowserAgent.ElementNotFound': {
    title: 'Something on the page was not found',
    meaning: 'The button, field or text that the step looks for was not there in time.',
    steps: [
      'Look at the screenshot of the failure: is it the page that you expect?',
      'If the website has changed, correct the locator of the step; the message names similar elements.',
      'If the page was slow, give the step a longer timeout.',
    ],
  },
  'BrowserAgent.AssertionFailed': {
    title: 'A check did not hold',
    meaning: 'The page does not show what the script says it must.',
    steps: [
      'Compare the screenshot with the condition of the step.',
      'Decide which of the two is right: the website or the script.',
    ],
  },
  'BrowserAgent.StepTimeout': {
    title: 'A step took too long',
    meaning: 'The step did not come to its end in the time it has.',
    steps: [
      'Look at the screenshot: is something in the way, or is the page still loading?',
      'Run again if the website was slow.',
      'Give the step a longer timeout if it needs one.',
    ],
  },
  'BrowserAgent.RunTimeout': {
    title: 'The run took too long',
    meaning: 'The whole script did not end in the time it has.',
    steps: [
      'Look for the step that took most of the time.',
      'Give the script a longer timeout, or split it.',
    ],
  },
  'BrowserAgent.StepFailed': {
    title: 'A step failed',
    meaning: 'A step could not do what it should.',
    steps: ['Read the message and look at the screenshot of the failure.', 'Run again with level DEBUG.'],
  },
  'BrowserAgent.OutputTooLarge': {
    title: 'The result is too large',
    meaning:
      'The run worked, but its result is larger than Step Functions takes, and could not be put into S3 instead.',
    steps: [
      'Let the script return less: its "output" says what the result holds.',
      'Ask whoever looks after AWS for a bucket and the right to write to it: the message says what was missing.',
    ],
  },
  'BrowserAgent.HumanTimeout': {
    title: 'Nobody answered in time',
    meaning: 'The run waited for a person, and the time for it passed.',
    steps: [
      'Run it again when somebody is at the computer.',
      'Let notifications be shown, so that nobody misses it.',
      'Give the step a longer timeout.',
    ],
  },
  'BrowserAgent.Cancelled': {
    title: 'It was cancelled',
    meaning: 'A person or a program ended the run before it was done.',
    steps: ['Run it again if that was not meant.'],
  },
  'BrowserAgent.Draining': {
    title: 'The agent was ending',
    meaning: 'The agent finishes what it has and begins nothing new.',
    steps: ['Start the agent again, or resume it; Step Functions tries the task again if it is told to.'],
  },
  'BrowserAgent.Interrupted': {
    title: 'The agent stopped in the middle',
    meaning: 'The agent, the computer or the connection to AWS ended while the run was on.',
    steps: [
      'Check on the website what was done already: the message names the step that may have acted.',
      'Then run it again.',
    ],
  },
  'BrowserAgent.Internal': {
    title: 'A mistake in the agent',
    meaning: 'Something happened that the agent was not made for. It is not your fault.',
    steps: [
      'Run it again.',
      'If it happens again, save a diagnostics bundle on the Log screen and send it in.',
    ],
  },
};

/** For any error name; one that a script chose itself is explained by its message alone. */
export function adviceFor(errorName: string): Advice {
  if (Object.hasOwn(ADVICE, errorName)) return ADVICE[errorName as ErrorName];
  return {
    title: 'The script ended itself with an error',
    meaning: `The script has a step that ends it as “${errorName}”; the message says why.`,
    steps: ['Read the message; whoever wrote the script knows what it means.'],
  };
}
