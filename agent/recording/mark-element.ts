/* v8 ignore start -- @preserve runs in the browser */
/**
 * Marks a field as hidden. Runs in the page's own world and passes it nothing but the element. The masker sees
 * the attribute and blacks out whatever is not a text field.
 */
export function markElement(element: Element, attribute: string): void {
  const control = element instanceof HTMLLabelElement ? (element.control ?? element) : element;
  (control as HTMLElement).style.setProperty('-webkit-text-security', 'disc', 'important');
  control.setAttribute(attribute, '');
}
/* v8 ignore stop -- @preserve */
