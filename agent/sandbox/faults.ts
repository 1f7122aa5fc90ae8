/** Trouble on demand: denied, failing, slow and cut requests, for tests of what a client makes of them. */
import { ServiceError } from './errors.ts';
import type { LoggedRequest, ServiceName } from './requests.ts';

export interface FaultRule {
  service?: ServiceName;
  /** Operation name in the service's API; absent: every one. */
  operation?: string;
  /** Matches the request's key (bucket/key, ARN, name); a string must be contained in it. */
  key?: string | RegExp;
  /** Requests it applies to before it is used up; absent: until removed. */
  times?: number;
  /** Answer this error instead of doing anything. */
  error?: { code: string; message?: string; status?: number };
  /** Wait before going on, milliseconds. Together with `error` or `disconnect` it comes first. */
  delayMs?: number;
  /**
   * Cut the connection: `before` the operation is done, or `after`, when it is done and its answer is
   * lost on the way (an activity task handed out like that is known to no worker).
   */
  disconnect?: 'before' | 'after';
}

type Remove = () => void;

export class Faults {
  #rules: FaultRule[] = [];

  /** Adds a rule; the first that matches wins. The function returned removes it again. */
  add(rule: FaultRule): Remove {
    const own = { ...rule };
    this.#rules.push(own);
    return () => {
      this.#rules = this.#rules.filter((other) => other !== own);
    };
  }

  /** Refuses an operation as the service does when a policy does not allow it. */
  deny(service: ServiceName, operation?: string, rule: Pick<FaultRule, 'key' | 'times'> = {}): Remove {
    const code =
      service === 'states' || service === 'ssm' || service === 'secretsmanager'
        ? 'AccessDeniedException'
        : 'AccessDenied';
    return this.add({
      ...rule,
      service,
      ...(operation === undefined ? {} : { operation }),
      error: { code, status: code === 'AccessDenied' ? 403 : 400 },
    });
  }

  clear(): void {
    this.#rules = [];
  }

  /** The rule for a request, counted as used. */
  take(request: LoggedRequest): FaultRule | undefined {
    const rule = this.#rules.find((candidate) => matches(candidate, request));
    if (rule?.times !== undefined) {
      rule.times -= 1;
      if (rule.times <= 0) this.#rules = this.#rules.filter((other) => other !== rule);
    }
    return rule;
  }
}

/** The error a rule asks for, worded as the service words a denial. */
export function faultError(
  rule: FaultRule,
  request: LoggedRequest,
  callerArn: string,
): ServiceError | undefined {
  if (!rule.error) return undefined;
  const { code, status = 400 } = rule.error;
  const denied = code.startsWith('AccessDenied')
    ? `User: ${callerArn} is not authorized to perform: ${request.service}:${request.operation}${request.key === undefined ? '' : ` on resource: ${request.key}`} because no identity-based policy allows the ${request.service}:${request.operation} action`
    : `${code} (asked for by a fault rule)`;
  return new ServiceError(code, rule.error.message ?? denied, status);
}

function matches(rule: FaultRule, request: LoggedRequest): boolean {
  if (rule.service !== undefined && rule.service !== request.service) return false;
  if (rule.operation !== undefined && rule.operation !== request.operation) return false;
  if (rule.key === undefined) return true;
  const key = request.key ?? '';
  return typeof rule.key === 'string' ? key.includes(rule.key) : rule.key.test(key);
}
