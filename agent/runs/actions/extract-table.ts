import { AgentError } from '../../base/errors.ts';
import { actOnElement, within } from './element.ts';
import { columnIndex, readTables, type TableData } from './tables.ts';
import type { ActionContext, ActionResult, StepOf } from './types.ts';

/** extract_table: the rows of one table as objects by header. */
export async function performExtractTable(
  step: StepOf<'extract_table'>,
  ctx: ActionContext,
): Promise<ActionResult> {
  const named =
    step.locator || step.escalation_chain
      ? step
      : { locator: { strategy: 'selector', value: 'table' } as const };
  const { result: table, fields } = await actOnElement(
    named,
    ctx,
    { action: 'extract_table' },
    async (target, limits) => {
      // Mostly it is there already.
      const [ready] = await target.locator.evaluateAll(readTables).catch((): TableData[] => []);
      if (ready) return ready;
      await target.locator.first().waitFor({ state: 'attached', ...within(limits) });
      const [found] = await target.locator.evaluateAll(readTables);
      if (found) return found;
      throw new AgentError('BrowserAgent.ElementNotFound', `${target.description} holds no table.`);
    },
  );
  const wanted = step.columns ?? table.headers;
  const columns = wanted.map((name) => ({ name, index: columnOf(table, name) }));
  const rows = table.rows.map((row): Record<string, string> =>
    Object.fromEntries(columns.map(({ name, index }) => [name, row[index] ?? ''])),
  );
  if (ctx.meta.sensitive)
    for (const row of rows) for (const value of Object.values(row)) ctx.recorder.maskValue(value);
  return {
    data: { rows },
    value: rows,
    url: ctx.page.url(),
    fields: { ...fields, row_count: rows.length, columns: wanted },
  };
}

function columnOf(table: TableData, name: string): number {
  const index = columnIndex(table.headers, name);
  if (index >= 0) return index;
  throw new AgentError(
    'BrowserAgent.ElementNotFound',
    `The table has no column "${name}": its columns are ${table.headers.join(', ')}.`,
  );
}
