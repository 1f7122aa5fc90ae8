/** Object metadata of an artifact, safe to travel as HTTP headers. */

/** S3 allows 2 KB for all user metadata; five values of this size and their names stay below it. */
const MAX_VALUE_LENGTH = 300;

/** Bytes in one RFC 2047 word, so that the word stays within its 75 characters as base64. */
const WORD_BYTES = 45;

export interface ArtifactFacts {
  runId: string;
  taskId?: string | null;
  scriptName: string;
  level: string;
  agent: string;
}

/** `run-id`, `task-id`, `script-name`, `level`, `agent`; a fact that is not known is left out. */
export function artifactMetadata(facts: ArtifactFacts): Record<string, string> {
  const metadata: Record<string, string> = { 'run-id': asciiSafe(facts.runId) };
  if (facts.taskId) metadata['task-id'] = asciiSafe(facts.taskId);
  metadata['script-name'] = asciiSafe(facts.scriptName);
  metadata['level'] = asciiSafe(facts.level);
  metadata['agent'] = asciiSafe(facts.agent);
  return metadata;
}

/**
 * Printable ASCII stays as it is; everything else becomes RFC 2047 words (`=?UTF-8?B?…?=`), the form that
 * S3 itself decodes and encodes metadata in
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
 */
export function asciiSafe(value: string): string {
  const trimmed = value.trim();
  if (/^[\x20-\x7e]*$/.test(trimmed) && !trimmed.includes('=?')) return trimmed.slice(0, MAX_VALUE_LENGTH);

  const words: string[] = [];
  let word = '';
  let length = 0;
  // By code point: a character is never split between two words.
  for (const character of trimmed) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(encodedWord(word));
      length += words.at(-1)!.length + 1;
      word = '';
    }
    if (length + encodedWord(word + character).length > MAX_VALUE_LENGTH) break;
    word += character;
  }
  if (word) words.push(encodedWord(word));
  return words.join(' ');
}

function encodedWord(text: string): string {
  return `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}
