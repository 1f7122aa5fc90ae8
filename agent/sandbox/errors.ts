/**
 * Errors in the services' own shapes. A handler throws {@link ServiceError}; the protocol of the request
 * decides how it is written: JSON with `__type`, or XML as STS and S3 write it.
 */

export class ServiceError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further fields of the error's body, e.g. `reason` of ValidationException. */
  readonly fields: Record<string, string>;

  constructor(code: string, message: string, status = 400, fields: Record<string, string> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** The message the services build for a parameter that breaks a constraint. */
export function validationError(problems: string[]): ServiceError {
  const count = `${problems.length} validation error${problems.length === 1 ? '' : 's'} detected: `;
  return new ServiceError('ValidationException', count + problems.join('; '));
}

/** @param namespace what the service puts before the error's name */
export function jsonError(
  namespace: string,
  error: ServiceError,
): { body: string; headers: Record<string, string> } {
  return {
    body: JSON.stringify({
      __type: `${namespace}${error.code}`,
      message: error.message,
      ...error.fields,
    }),
    headers: { 'x-amzn-errortype': error.code },
  };
}

/** @param xmlns of the service's answers */
export function queryError(xmlns: string, error: ServiceError, requestId: string): string {
  const type = error.status >= 500 ? 'Receiver' : 'Sender';
  return `<ErrorResponse xmlns="${xmlns}"><Error><Type>${type}</Type><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

export function s3Error(error: ServiceError, resource: string, requestId: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message><Resource>${escapeXml(resource)}</Resource><RequestId>${requestId}</RequestId></Error>`;
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
