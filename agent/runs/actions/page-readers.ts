/**
 * Functions that are sent to the page as source to read it; each stands alone. Passwords are never read.
 */

/** What a person sees of each element: the value of a field, the text of anything else. */
export function textsOf(elements: Element[]): string[] {
  /** More matches than this are not extracted one by one. */
  const MAX_MATCHES = 10_000;
  return elements.slice(0, MAX_MATCHES).map((el) => {
    if (el instanceof HTMLSelectElement) return el.selectedOptions[0]?.text.trim() ?? '';
    if (el instanceof HTMLInputElement && el.type === 'password') return '';
    if (el instanceof HTMLInputElement && /^(?:checkbox|radio)$/.test(el.type)) return String(el.checked);
    if (el instanceof HTMLInputElement || el instanceof HTMLTextAreaElement) return el.value;
    const text = el instanceof HTMLElement ? el.innerText : el.textContent;
    // What is hidden has no inner text.
    return (text || el.textContent || '').trim();
  });
}

/** Elements without the attribute are left out. */
export function attributesOf(elements: Element[], attribute: string): string[] {
  const MAX_MATCHES = 10_000;
  return elements.slice(0, MAX_MATCHES).flatMap((el) => {
    if (attribute === 'value' && el instanceof HTMLInputElement)
      return el.type === 'password' ? [] : [el.value];
    return el.getAttribute(attribute) ?? [];
  });
}

/** The text of each element as it is shown, white space included: what patterns are looked for in. */
export function innerTextsOf(elements: Element[]): string[] {
  const MAX_ELEMENTS = 10_000;
  return elements
    .slice(0, MAX_ELEMENTS)
    .map((el) => (el instanceof HTMLElement ? el.innerText : el.textContent) ?? '');
}

/** Elements, attributes and text nodes, or the value of an expression such as `count(//tr)`. */
export function xpathValues(expression: string): (string | number | boolean)[] {
  const MAX_MATCHES = 10_000;
  const result = document.evaluate(expression, document, null, XPathResult.ANY_TYPE);
  if (result.resultType === XPathResult.NUMBER_TYPE) return [result.numberValue];
  if (result.resultType === XPathResult.STRING_TYPE) return [result.stringValue.trim()];
  if (result.resultType === XPathResult.BOOLEAN_TYPE) return [result.booleanValue];
  const found: string[] = [];
  for (let node = result.iterateNext(); node && found.length < MAX_MATCHES; node = result.iterateNext()) {
    if (node instanceof HTMLInputElement && node.type === 'password') continue;
    if (node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement) found.push(node.value);
    else found.push(((node instanceof HTMLElement ? node.innerText : '') || node.textContent || '').trim());
  }
  return found;
}
