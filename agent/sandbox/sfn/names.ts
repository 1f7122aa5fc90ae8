/** Checks names and ARNs as Step Functions does. */
import { ServiceError } from '../errors.ts';

/** Names must not contain white space, brackets, wildcards, special or control characters. */
export function checkName(value: string): void {
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/.test(value)) {
    throw new ServiceError('InvalidName', `Invalid Name: '${value}'`);
  }
}

export function checkArn(value: string, kind: 'activity' | 'stateMachine' | 'execution'): void {
  const found = /^arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:(activity|stateMachine|execution):.+$/.exec(value);
  if (found?.[1] !== kind) {
    throw new ServiceError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${value}'`);
  }
}
