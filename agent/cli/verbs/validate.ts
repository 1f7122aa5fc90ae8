import { readFile } from 'node:fs/promises';
import { messageOf } from '../../base/errors.ts';
import { formatProblem, parseScript, type Problem } from '../../script/parse.ts';
import { Failed, type VerbOptions } from '../main-types.ts';
import { note, print, printJson } from '../output.ts';

/** Every problem of each script, with its place. */
export async function validate(options: VerbOptions, files: string[]): Promise<void> {
  const results: { file: string; valid: boolean; problems: Problem[] }[] = [];
  for (const file of files) {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (thrown) {
      const message = `cannot be read: ${messageOf(thrown)}`;
      results.push({ file, valid: false, problems: [{ severity: 'error', path: '$', message }] });
      continue;
    }
    const parsed = parseScript(text);
    results.push({ file, valid: parsed.ok, problems: parsed.ok ? parsed.warnings : parsed.problems });
  }
  if (options.json === true) printJson(results);
  else {
    for (const { file, valid, problems } of results) {
      for (const problem of problems) print(formatProblem(problem, file));
      if (valid) note(`${file}: valid${problems.length > 0 ? ', with warnings' : ''}`);
    }
  }
  const invalid = results.filter((result) => !result.valid).length;
  if (invalid > 0) throw new Failed(`${invalid} of ${results.length} not valid`);
}
