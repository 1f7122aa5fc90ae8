/** The table of actions in docs/script-format.md, made from the rows of all actions. */
import { ACTIONS, ACTION_TRAITS, type Action } from './index.ts';

const BEGIN =
  '<!-- Actions: made from agent/script/actions. Change them there, then run `npm run generate`. -->';
const END = '<!-- End of actions -->';

/** The page with its table of actions replaced by that of the code. */
export function withActionTable(page: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`the page has no place for the actions: "${BEGIN}" … "${END}"`);
  return `${page.slice(0, from)}${BEGIN}\n\n${renderActionTable()}\n\n${page.slice(to)}`;
}

/** Actions that are documented in the same words share a row. */
function renderActionTable(): string {
  const rows = Map.groupBy(ACTIONS, (action) => ACTION_TRAITS[action].doc);
  const lines = [...rows].map(([doc, actions]) => `| ${actions.map(nameCell).join(', ')} | ${cell(doc)} |`);
  return ['| action | fields |', '|---|---|', ...lines].join('\n');
}

function nameCell(action: Action): string {
  const others = ACTION_TRAITS[action].aliases.map((alias) =>
    typeof alias === 'string' ? `\`${alias}\`` : `\`${alias.name}\` ${alias.words}`,
  );
  return others.length === 0 ? `\`${action}\`` : `\`${action}\` (${others.join(', ')})`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
