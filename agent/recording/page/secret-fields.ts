/** Which fields of a page hold secrets, by what the page says about them. */

/** Autofill names (HTML standard) of fields that hold secrets. */
const SECRET_AUTOFILL = /\b(current-password|new-password|one-time-code|cc-number|cc-csc)\b/;

/** Hidden fields and meta tags that carry credentials of the session. */
const SECRET_NAME = /csrf|xsrf|token|nonce|secret|passw|session|viewstate|auth/i;

/** Types of fields that show text, which dots can hide. */
const TEXT_TYPE = /^(text|search|tel|url|email|password|number)$/;

export type Field = HTMLInputElement | HTMLTextAreaElement;

export function isSecretAutofill(autocomplete: string): boolean {
  return SECRET_AUTOFILL.test(autocomplete);
}

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

export function isField(node: unknown): node is Field {
  return node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement;
}

export function isTextField(element: Element): element is Field {
  return (
    element instanceof HTMLTextAreaElement ||
    (element instanceof HTMLInputElement && TEXT_TYPE.test(element.type))
  );
}

export function isPassword(field: Field): boolean {
  return field.type === 'password' || isSecretAutofill(field.getAttribute('autocomplete') ?? '');
}
