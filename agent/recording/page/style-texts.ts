import type { Root } from './root-watcher.ts';

/** Time for leaving out rules that nothing uses. */
export interface CssBudget {
  /** On the clock of `performance.now()`. */
  deadlineMs: number;
  /** There is no time: all rules are kept. */
  keepsAll: boolean;
}

/** Pseudo-elements and states: a rule may be used though nothing matches them at this moment. */
const PASSING_STATES =
  /::?(before|after|placeholder|marker|selection|first-line|first-letter|-webkit-[\w-]+|hover|focus|focus-visible|focus-within|active|visited|link)\b(\([^)]*\))?/g;

/** The style sheets of a document as text that works elsewhere. */
export class StyleTexts {
  /** Whole sheets by their number of rules: on one page they rarely change. */
  readonly #whole = new WeakMap<CSSStyleSheet, { rules: number; text: string }>();

  /** null: the sheet is of another origin and cannot be read. */
  textOf(sheet: CSSStyleSheet, scope: Root, budget: CssBudget): string | null {
    try {
      const known = this.#whole.get(sheet);
      if (budget.keepsAll && known?.rules === sheet.cssRules.length) return known.text;
      const css = this.#rules(sheet.cssRules, scope, budget).replace(/<\/style/gi, '<\\/style');
      const text = absoluteUrls(css, sheet.href ?? document.baseURI);
      if (budget.keepsAll) this.#whole.set(sheet, { rules: sheet.cssRules.length, text });
      return text;
    } catch {
      return null;
    }
  }

  #rules(rules: CSSRuleList, scope: Root, budget: CssBudget): string {
    let css = '';
    for (const rule of rules) {
      if (rule instanceof CSSStyleRule) {
        if (performance.now() < budget.deadlineMs && !isUsed(rule.selectorText, scope)) continue;
        css += `${rule.cssText}\n`;
      } else if (rule instanceof CSSMediaRule) {
        const { mediaText } = rule.media;
        if (!globalThis.matchMedia(mediaText).matches) continue;
        css += `@media ${mediaText}{${this.#rules(rule.cssRules, scope, budget)}}\n`;
      } else if (rule instanceof CSSImportRule) {
        if (rule.styleSheet) css += this.textOf(rule.styleSheet, scope, budget) ?? '';
      } else {
        css += `${rule.cssText}\n`;
      }
    }
    return css;
  }
}

function isUsed(selectors: string, scope: Root): boolean {
  if (/:host|::slotted|:root|:part/.test(selectors)) return true;
  try {
    return scope.querySelector(withoutStates(selectors)) !== null;
  } catch {
    return true;
  }
}

/** A selector list without pseudo-elements and passing states; a part that is empty then is `*`. */
export function withoutStates(selectors: string): string {
  return selectors.replace(PASSING_STATES, '').replace(/(^|[\s,>+~])(?=,|$)/g, '$1*');
}

export function absoluteUrls(css: string, base: string): string {
  return css.replace(/url\((["']?)(?!data:|#)([^"')]+)\1\)/g, (whole, _quote: string, url: string) => {
    try {
      return `url("${new URL(url, base).href}")`;
    } catch {
      return whole;
    }
  });
}
