import { AgentError } from '../../base/errors.ts';
import { LEAF_TRAITS, isModelAction, type BrowserAction } from '../../script/actions/index.ts';
import { noModel } from '../../script/no-model.ts';
import type { LeafStep } from '../../script/schema.ts';
import { planDialog } from './dialogs.ts';
import { performExecuteJs } from './execute-js.ts';
import { performExtractDom } from './extract-dom.ts';
import { performExtractTable } from './extract-table.ts';
import { performDownload, performUpload } from './files.ts';
import { performFill } from './fill.ts';
import { performPress } from './keyboard.ts';
import { performNavigate } from './navigate.ts';
import { performPointer } from './pointer.ts';
import { performValidateProfile } from './profile-check.ts';
import { performScreenshot } from './screenshot.ts';
import { performScroll } from './scroll.ts';
import { performSelect } from './select.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';
import {
  performWait,
  performWaitForLoadState,
  performWaitForResponse,
  performWaitForSelector,
  performWaitForUrl,
} from './waits.ts';

type Executor<S> = (step: S, ctx: ActionContext) => Promise<ActionResult>;

/** Function that performs each action in the page. */
const EXECUTORS: { readonly [A in BrowserAction]: Executor<StepOf<A>> } = {
  navigate: performNavigate,
  click: performPointer,
  double_click: performPointer,
  hover: performPointer,
  check: performPointer,
  uncheck: performPointer,
  fill: performFill,
  type: performFill,
  press: performPress,
  select: performSelect,
  upload: performUpload,
  scroll: performScroll,
  wait: performWait,
  wait_for_load_state: performWaitForLoadState,
  wait_for_selector: performWaitForSelector,
  wait_for_url: performWaitForUrl,
  wait_for_response: performWaitForResponse,
  screenshot: performScreenshot,
  extract_dom: performExtractDom,
  extract_table: performExtractTable,
  execute_js: performExecuteJs,
  dialog: planDialog,
  validate_profile: performValidateProfile,
  download: performDownload,
};

/** Does the step in the page. */
export async function perform(step: LeafStep, ctx: ActionContext): Promise<ActionResult> {
  if (isBrowserStep(step)) return (EXECUTORS[step.action] as Executor<StepOf<BrowserAction>>)(step, ctx);
  if (isModelAction(step.action)) throw noModel(step.action, step.action);
  throw new AgentError(
    'BrowserAgent.Internal',
    `${step.action} is not done in the browser: the interpreter does it.`,
  );
}

function isBrowserStep(step: LeafStep): step is StepOf<BrowserAction> {
  return LEAF_TRAITS[step.action].doneBy === 'browser';
}
