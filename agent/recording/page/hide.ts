import { MASK_ATTRIBUTE } from './contract.ts';
import { isTextField } from './secret-fields.ts';
import type { SecretValues } from './secret-values.ts';

/**
 * Hides an element: text fields show dots, everything else is black. The style is inline and important: it
 * holds in every shadow root, against every style sheet, without a transition.
 */
export function hide(element: Element, values: SecretValues): void {
  if (!element.hasAttribute(MASK_ATTRIBUTE)) element.setAttribute(MASK_ATTRIBUTE, '');
  const style = (element as HTMLElement).style as CSSStyleDeclaration | undefined;
  if (!style) return;
  if (isTextField(element) && !values.isIn(element.placeholder)) {
    setStyle(style, { '-webkit-text-security': 'disc' });
    return;
  }
  setStyle(style, { transition: 'none', animation: 'none' });
  if (element instanceof SVGElement) setStyle(style, { opacity: '0' });
  else setStyle(style, { 'background-color': '#000', filter: 'brightness(0)' });
  if (getComputedStyle(element).display !== 'contents') return;
  // The element has no box to paint over; its children have.
  setStyle(style, { color: 'transparent', '-webkit-text-fill-color': 'transparent' });
  for (const child of element.children) hide(child, values);
}

function setStyle(style: CSSStyleDeclaration, rules: Record<string, string>): void {
  // Setting a rule that is set already would be a mutation, which hides the element again, and so on.
  for (const [name, value] of Object.entries(rules)) {
    if (style.getPropertyPriority(name) !== 'important') style.setProperty(name, value, 'important');
  }
}
