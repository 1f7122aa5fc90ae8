/**
 * Whether identity-based policies allow an action on a resource, by IAM's own rules: an explicit deny wins,
 * without an allow it is denied
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html).
 */
import { z } from 'zod';

const texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** Those that our policies use; another operator is refused rather than taken for something. */
const OPERATORS = {
  StringEquals: (value, asked) => value === asked,
  StringNotEquals: (value, asked) => value !== asked,
  StringLike: (value, asked) => matches(asked, value),
  StringNotLike: (value, asked) => !matches(asked, value),
  ArnEquals: (value, asked) => matches(asked, value),
  ArnLike: (value, asked) => matches(asked, value),
  Bool: (value, asked) => value === asked,
  DateLessThan: (value, asked) => Date.parse(value) < Date.parse(asked),
  DateGreaterThan: (value, asked) => Date.parse(value) > Date.parse(asked),
} satisfies Record<string, (value: string, asked: string) => boolean>;

type OperatorName = keyof typeof OPERATORS;

const statement = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Action: texts.optional(),
    NotAction: texts.optional(),
    Resource: texts,
    Condition: z
      .partialRecord(
        z.enum(Object.keys(OPERATORS) as [OperatorName, ...OperatorName[]]),
        z.record(z.string(), texts),
      )
      .optional(),
  })
  .refine(({ Action, NotAction }) => (Action === undefined) !== (NotAction === undefined), {
    message: 'a statement has either Action or NotAction',
  });

export const policyDocument = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.union([statement, z.array(statement)]).transform((value) => [value].flat()),
});

/** As it is written in JSON. */
export type PolicyText = z.input<typeof policyDocument>;
export type Policy = z.output<typeof policyDocument>;
type Statement = z.output<typeof statement>;

export interface Asked {
  /** `s3:PutObject` */
  action: string;
  /**
   * An ARN; `*` where the action is about nothing; null where nobody knows it, as with a task token that
   * never was one: then an allow or deny on anything counts.
   */
  resource: string | null;
  /** Condition keys by name: `aws:username`, `kms:ViaService`. One that is absent matches no condition. */
  context: Readonly<Record<string, string>>;
}

export type Decision = 'allowed' | 'denied explicitly' | 'not allowed';

export function decide(policies: readonly Policy[], asked: Asked): Decision {
  const applying = policies.flatMap(({ Statement }) => Statement).filter((each) => applies(each, asked));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'denied explicitly';
  return applying.length > 0 ? 'allowed' : 'not allowed';
}

function applies(of: Statement, { action, resource, context }: Asked): boolean {
  const covers = (patterns: readonly string[]) =>
    // Actions know no difference between capitals and small letters.
    patterns.some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase()));
  const isAction = of.Action ? covers(of.Action) : !covers(of.NotAction ?? []);
  return (
    isAction &&
    (resource === null ||
      of.Resource.some((pattern) => matches(withVariables(pattern, context), resource))) &&
    Object.entries(of.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) => {
        const value = context[key];
        const holds = OPERATORS[operator as OperatorName];
        return value !== undefined && values.some((each) => holds(value, withVariables(each, context)));
      }),
    )
  );
}

/**
 * `*` is any text and `?` one character, in ARNs and actions; `*` may reach across `/` and `:`. A mismatch is
 * tried again only from the last `*`: that takes at most the product of both lengths.
 */
function matches(pattern: string, text: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let afterStar = 0;
  while (at < text.length) {
    const char = pattern[inPattern];
    if (char === '*') {
      star = inPattern;
      afterStar = at;
      inPattern += 1;
    } else if (char === '?' || char === text[at]) {
      inPattern += 1;
      at += 1;
    } else if (star >= 0) {
      afterStar += 1;
      at = afterStar;
      inPattern = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}

/** `${aws:username}`; a variable without a value matches nothing. */
function withVariables(pattern: string, context: Asked['context']): string {
  return pattern.replaceAll(/\$\{([\w:-]+)\}/g, (_all, name: string) => context[name] ?? '\0');
}
