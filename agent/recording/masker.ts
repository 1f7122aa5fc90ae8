/**
 * What runs inside pages, in an isolated world: invisible to the page's own scripts, which therefore cannot
 * read the secret values it is given, nor stand in its way. It hides sensitive fields where pictures come
 * from (so that every frame, screenshot and video lacks them) and writes HTML snapshots without them.
 *
 * Both functions are sent as source text: they may use nothing from outside themselves.
 */

/** Marks a hidden element; the trace is redacted by it too. */
export const MASK_ATTRIBUTE = 'data-lba-masked';

/** Name of the isolated world, and of the binding through which it tells password values. */
export const WORLD_NAME = 'local-browser-agent';
export const PASSWORD_BINDING = 'lbaPassword';

export interface MaskerConfig {
  /** Configured CSS selectors. */
  selectors: readonly string[];
  /** Secret values of some length: hidden wherever they are shown. */
  values: readonly string[];
  /** Short secret values: hidden only where they are a field's whole value. */
  shortValues: readonly string[];
  /** A person types: what they typed into is remembered, and hidden when this ends. */
  typing?: boolean;
}

export interface Serialized {
  html: string;
  /** Fields and elements left out. */
  masked: number;
}

export interface Masker {
  update(config: MaskerConfig): { masked: number; invalidSelectors: string[] };
  /** Hidden elements and passages at this moment. */
  count(): number;
  /** Watches no more, for a page that stays open: what is hidden stays hidden. */
  close(): void;
  /** The document as HTML text, scripts and hidden content left out. */
  serialize(limits: { maxCharacters: number; cssBudgetMs: number }): Serialized;
}

/** Installs the masker, or brings it up to date; the source text of a call. */
export function maskerSource(config: MaskerConfig): string {
  return `globalThis.lbaMasker ??= (${installMasker.toString()})(${JSON.stringify(MASK_ATTRIBUTE)}, ${JSON.stringify(PASSWORD_BINDING)}); globalThis.lbaMasker.update(${JSON.stringify(config)})`;
}

/* v8 ignore start -- @preserve runs in the browser; its tests drive real pages */
function installMasker(attribute: string, bindingName: string): Masker {
  const HIGHLIGHT = 'lba-masked';
  /** Autofill names (HTML standard) of fields that hold secrets. */
  const SECRET_AUTOFILL = /\b(current-password|new-password|one-time-code|cc-number|cc-csc)\b/;
  /** Hidden fields and meta tags that carry credentials of the session. */
  const SECRET_NAME = /csrf|xsrf|token|nonce|secret|passw|session|viewstate|auth/i;
  const TEXT_TYPES = /^(text|search|tel|url|email|password|number)$/;

  let config: MaskerConfig = { selectors: [], values: [], shortValues: [] };
  let selector = '';
  const roots = new Map<Document | ShadowRoot, MutationObserver>();
  const ranges = new Set<Range>();
  const rangesOf = new WeakMap<Text, Range[]>();
  const highlight = typeof Highlight === 'undefined' ? null : new Highlight();
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`::highlight(${HIGHLIGHT}){color:transparent;background-color:#000;text-shadow:none}`);
  const told = new Set<string>();
  /** What a person typed into. Not hidden while they do: they must see what they write. */
  const typedInto = new Set<HTMLElement>();
  /** Whole sheets as text, by the number of their rules: on one page they rarely change. */
  const sheetTexts = new WeakMap<CSSStyleSheet, { rules: number; text: string }>();

  type Field = HTMLInputElement | HTMLTextAreaElement;
  const isField = (node: unknown): node is Field =>
    node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement;
  const isPassword = (node: Field): boolean =>
    node.type === 'password' || SECRET_AUTOFILL.test(node.getAttribute('autocomplete') ?? '');
  const holdsSecret = (text: string): boolean =>
    text !== '' && config.values.some((value) => text.includes(value));
  const tell = (value: string): void => {
    if (value === '' || told.has(value)) return;
    told.add(value);
    const binding = (globalThis as unknown as Record<string, unknown>)[bindingName];
    if (typeof binding === 'function') (binding as (value: string) => void)(value);
  };

  function setStyle(style: CSSStyleDeclaration, rules: Record<string, string>): void {
    // Setting what is set already would be a mutation, and start this again.
    for (const [name, value] of Object.entries(rules)) {
      if (style.getPropertyPriority(name) !== 'important') style.setProperty(name, value, 'important');
    }
  }

  /** Inline and important: it holds in every shadow root, against every style sheet, without a transition. */
  function hide(element: Element): void {
    if (!element.hasAttribute(attribute)) element.setAttribute(attribute, '');
    const style = (element as HTMLElement).style as CSSStyleDeclaration | undefined;
    if (!style) return;
    const isText =
      isField(element) && (element instanceof HTMLTextAreaElement || TEXT_TYPES.test(element.type));
    if (isText && !holdsSecret(element.placeholder)) {
      setStyle(style, { '-webkit-text-security': 'disc' });
      return;
    }
    setStyle(style, { transition: 'none', animation: 'none' });
    if (element instanceof SVGElement) setStyle(style, { opacity: '0' });
    else setStyle(style, { 'background-color': '#000', filter: 'brightness(0)' });
    if (getComputedStyle(element).display !== 'contents') return;
    // It has no box of its own to paint over: its children have.
    setStyle(style, { color: 'transparent', '-webkit-text-fill-color': 'transparent' });
    for (const child of element.children) hide(child);
  }

  function checkField(field: Field): void {
    if (isPassword(field)) hide(field);
    else if (holdsSecret(field.value) || config.shortValues.includes(field.value)) hide(field);
    else if (holdsSecret(field.placeholder)) hide(field);
  }

  function checkText(node: Text): void {
    for (const range of rangesOf.get(node) ?? []) {
      ranges.delete(range);
      highlight?.delete(range);
    }
    const text = node.data;
    const parent = node.parentElement;
    if (!parent || !holdsSecret(text)) return;
    if (parent instanceof HTMLOptionElement) {
      hide(parent.closest('select') ?? parent);
      return;
    }
    if (parent instanceof HTMLTextAreaElement || !highlight || !(parent instanceof HTMLElement)) {
      hide(parent);
      return;
    }
    const own: Range[] = [];
    rangesOf.set(node, own);
    for (const value of config.values) {
      for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + value.length)) {
        const range = new Range();
        range.setStart(node, at);
        range.setEnd(node, at + value.length);
        own.push(range);
        ranges.add(range);
        highlight.add(range);
      }
    }
  }

  function scan(node: Node): void {
    if (node.nodeType === Node.TEXT_NODE) checkText(node as Text);
    if (!(node instanceof Element || node instanceof Document || node instanceof DocumentFragment)) return;
    if (node instanceof Element) checkElement(node);
    const what = NodeFilter.SHOW_ELEMENT | (config.values.length > 0 ? NodeFilter.SHOW_TEXT : 0);
    const walker = document.createTreeWalker(node, what);
    for (let next = walker.nextNode(); next; next = walker.nextNode()) {
      if (next.nodeType === Node.TEXT_NODE) checkText(next as Text);
      else checkElement(next as Element);
    }
  }

  function checkElement(element: Element): void {
    if (element.shadowRoot) addRoot(element.shadowRoot);
    if (isField(element)) checkField(element);
    if (selector && element.matches(selector)) hide(element);
  }

  function onMutations(records: MutationRecord[]): void {
    for (const record of records) {
      if (record.type === 'childList') record.addedNodes.forEach(scan);
      else if (record.type === 'characterData') checkText(record.target as Text);
      else {
        const element = record.target as Element;
        // "Show password": what was a password stays one.
        if (record.attributeName === 'type' && record.oldValue?.toLowerCase() === 'password') hide(element);
        if (element.hasAttribute(attribute)) hide(element);
        else checkElement(element);
      }
    }
    dropStaleRanges();
  }

  function dropStaleRanges(): void {
    for (const range of ranges) {
      if (range.startContainer.isConnected && holdsSecret(range.toString())) continue;
      ranges.delete(range);
      highlight?.delete(range);
    }
  }

  function addRoot(root: Document | ShadowRoot): void {
    if (roots.has(root)) return;
    const observer = new MutationObserver(onMutations);
    roots.set(root, observer);
    observe(root, observer);
    scan(root);
  }

  /** Only what is needed is watched: a page without secrets pays for attribute changes of fields alone. */
  function observe(root: Document | ShadowRoot, observer: MutationObserver): void {
    const deep = config.values.length > 0 || config.selectors.length > 0;
    observer.disconnect();
    observer.observe(root, {
      subtree: true,
      childList: deep,
      characterData: config.values.length > 0,
      attributes: true,
      attributeOldValue: true,
      ...(config.selectors.length > 0
        ? {}
        : { attributeFilter: ['type', 'autocomplete', 'style', ...(deep ? ['value', 'placeholder'] : [])] }),
    });
    if (!highlight || config.values.length === 0) return;
    if (!root.adoptedStyleSheets.includes(sheet)) {
      root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    }
  }

  const keepTyped = (): void => {
    for (const element of typedInto) {
      hide(element);
      tell(isField(element) ? element.value : (element.textContent ?? ''));
    }
  };
  const onField = (event: Event): void => {
    const target = event.composedPath()[0];
    if (config.typing === true && event.type === 'input' && event.isTrusted) {
      // Also what is no field: an element whose text can be edited.
      if (target instanceof HTMLElement) typedInto.add(target);
    }
    if (!isField(target)) return;
    const root = target.getRootNode();
    if (root instanceof ShadowRoot) addRoot(root);
    checkField(target);
    if (event.type !== 'focusin' && (isPassword(target) || target.hasAttribute(attribute))) {
      if (event.type === 'change' || event.type === 'focusout') tell(target.value);
    }
  };
  const tellAll = (): void => {
    keepTyped();
    for (const root of roots.keys()) {
      for (const field of root.querySelectorAll('input,textarea')) {
        if (isField(field) && (isPassword(field) || field.hasAttribute(attribute))) tell(field.value);
      }
    }
  };
  /** Adding a listener twice is adding it once. */
  const listen = (): void => {
    for (const type of ['focusin', 'focusout', 'input', 'change']) {
      globalThis.addEventListener(type, onField, { capture: true, passive: true });
    }
    for (const type of ['submit', 'pagehide']) {
      globalThis.addEventListener(type, tellAll, { capture: true, passive: true });
    }
  };
  // document.open() takes all listeners away, and what is then written is a new page.
  const rewritten = new MutationObserver(() => {
    listen();
    scan(document);
  });
  rewritten.observe(document, { childList: true });

  function close(): void {
    rewritten.disconnect();
    for (const observer of roots.values()) observer.disconnect();
    for (const type of ['focusin', 'focusout', 'input', 'change'])
      globalThis.removeEventListener(type, onField, { capture: true });
    for (const type of ['submit', 'pagehide'])
      globalThis.removeEventListener(type, tellAll, { capture: true });
    // The next recorder installs one of its own.
    delete (globalThis as { lbaMasker?: Masker }).lbaMasker;
  }

  function update(next: MaskerConfig): { masked: number; invalidSelectors: string[] } {
    const isOver = config.typing === true && next.typing !== true;
    config = next;
    if (isOver) {
      keepTyped();
      typedInto.clear();
    }
    const invalidSelectors: string[] = [];
    const valid: string[] = [];
    for (const one of next.selectors) {
      try {
        document.createDocumentFragment().querySelector(one);
        valid.push(one);
      } catch {
        invalidSelectors.push(one);
      }
    }
    selector = valid.join(',');
    listen();
    if (highlight) CSS.highlights.set(HIGHLIGHT, highlight);
    if (roots.size === 0) addRoot(document);
    else {
      for (const [root, observer] of roots) {
        observe(root, observer);
        scan(root);
      }
    }
    return { masked: count(), invalidSelectors };
  }

  function count(): number {
    let masked = ranges.size;
    for (const root of roots.keys()) masked += root.querySelectorAll(`[${attribute}]`).length;
    return masked;
  }

  function serialize(limits: { maxCharacters: number; cssBudgetMs: number }): Serialized {
    const VOID = new Set('area,base,br,col,embed,hr,img,input,link,meta,source,track,wbr'.split(','));
    const DROPPED = new Set(['script', 'noscript', 'template', 'object', 'embed', 'applet']);
    const cssDeadline = performance.now() + limits.cssBudgetMs;
    const out: string[] = [];
    let size = 0;
    let masked = 0;
    let full = false;
    const write = (text: string): void => {
      if (full) return;
      size += text.length;
      full = size > limits.maxCharacters;
      out.push(full ? '<!-- cut: the page is larger than the limit for snapshots -->' : text);
    };
    const escape = (text: string): string =>
      text.replace(/[&<>"]/g, (c) =>
        c === '&' ? '&amp;' : c === '<' ? '&lt;' : c === '>' ? '&gt;' : '&quot;',
      );
    const attr = (name: string, value: string): void => write(` ${name}="${escape(value)}"`);

    function absoluteUrls(css: string, base: string): string {
      return css.replace(/url\((["']?)(?!data:|#)([^"')]+)\1\)/g, (whole, _quote: string, url: string) => {
        try {
          return `url("${new URL(url, base).href}")`;
        } catch {
          return whole;
        }
      });
    }

    /** Rules that nothing in this document uses are left out, while there is time to look. */
    function usedRules(rules: CSSRuleList, scope: Document | ShadowRoot): string {
      let css = '';
      for (const rule of rules) {
        if (rule instanceof CSSStyleRule) {
          if (performance.now() < cssDeadline && !isUsed(rule.selectorText, scope)) continue;
          css += `${rule.cssText}\n`;
        } else if (rule instanceof CSSMediaRule) {
          if (!globalThis.matchMedia(rule.media.mediaText).matches) continue;
          css += `@media ${rule.media.mediaText}{${usedRules(rule.cssRules, scope)}}\n`;
        } else if (rule instanceof CSSImportRule) {
          if (rule.styleSheet) css += sheetText(rule.styleSheet, scope) ?? '';
        } else {
          css += `${rule.cssText}\n`;
        }
      }
      return css;
    }

    function isUsed(selectors: string, scope: Document | ShadowRoot): boolean {
      if (/:host|::slotted|:root|:part/.test(selectors)) return true;
      try {
        return (
          scope.querySelector(
            selectors
              .replace(
                /::?(before|after|placeholder|marker|selection|first-line|first-letter|-webkit-[\w-]+|hover|focus|focus-visible|focus-within|active|visited|link)\b(\([^)]*\))?/g,
                '',
              )
              .replace(/(^|[\s,>+~])(?=,|$)/g, '$1*'),
          ) !== null
        );
      } catch {
        return true;
      }
    }

    /** Null: the sheet is of another origin and may not be read. */
    function sheetText(from: CSSStyleSheet, scope: Document | ShadowRoot): string | null {
      try {
        const known = sheetTexts.get(from);
        if (limits.cssBudgetMs === 0 && known?.rules === from.cssRules.length) return known.text;
        const css = usedRules(from.cssRules, scope).replace(/<\/style/gi, '<\\/style');
        const text = absoluteUrls(css, from.href ?? document.baseURI);
        if (limits.cssBudgetMs === 0) sheetTexts.set(from, { rules: from.cssRules.length, text });
        return text;
      } catch {
        return null;
      }
    }

    function secretField(field: Field): boolean {
      if (field.hasAttribute(attribute) || isPassword(field)) return true;
      if (field.type === 'hidden') return SECRET_NAME.test(field.name + field.id);
      return (
        field.value !== '' && getComputedStyle(field).getPropertyValue('-webkit-text-security') !== 'none'
      );
    }

    function attributes(element: Element, tag: string, secret: boolean): void {
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on') || name === 'srcdoc' || name === 'nonce' || name === 'integrity') continue;
        if (name === 'style' && secret) continue;
        if (secret && !/^(id|class|type|name|role)$/.test(name)) continue;
        if (tag === 'iframe' && name === 'src') attr('data-src', value);
        else if (isField(element) && (name === 'value' || name === 'checked')) continue;
        else if (name === 'selected') continue;
        else if (/^\s*(javascript|vbscript):/i.test(value)) attr(name, '#');
        else attr(name, value);
      }
      if (secret) {
        masked += 1;
        attr(attribute, '');
      }
      if (element instanceof HTMLInputElement && !secret) {
        if (element.type !== 'file' && element.value !== '') attr('value', element.value);
        if (element.checked) attr('checked', '');
      }
      if (element instanceof HTMLOptionElement && element.selected) attr('selected', '');
    }

    function children(parent: Node, scope: Document | ShadowRoot): void {
      for (const child of parent.childNodes) node(child, scope);
    }

    function shadow(root: ShadowRoot): void {
      write(`<template shadowrootmode="open">`);
      for (const adopted of root.adoptedStyleSheets) {
        if (adopted !== sheet) write(`<style>${sheetText(adopted, root) ?? ''}</style>`);
      }
      children(root, root);
      write('</template>');
    }

    function node(from: Node, scope: Document | ShadowRoot): void {
      if (full) return;
      if (from.nodeType === Node.TEXT_NODE) write(escape((from as Text).data));
      if (!(from instanceof Element)) return;
      const tag = from.localName;
      if (DROPPED.has(tag)) return;
      if (
        tag === 'meta' &&
        (from.hasAttribute('http-equiv') || SECRET_NAME.test(from.getAttribute('name') ?? ''))
      )
        return;
      if (tag === 'base') return;
      if (from instanceof HTMLLinkElement && from.relList.contains('stylesheet')) {
        const text = from.sheet ? sheetText(from.sheet, scope) : null;
        if (text !== null) write(`<style data-href="${escape(from.href)}">${text}</style>`);
        else write(`<link rel="stylesheet" href="${escape(from.href)}">`);
        return;
      }
      if (tag === 'link' && !/icon/.test(from.getAttribute('rel') ?? '')) return;
      if (from instanceof HTMLStyleElement) {
        write(`<style>${(from.sheet && sheetText(from.sheet, scope)) ?? ''}</style>`);
        return;
      }
      const secret = isField(from) ? secretField(from) : from.hasAttribute(attribute);
      write(`<${tag}`);
      attributes(from, tag, secret);
      if (from instanceof HTMLIFrameElement && !secret) frame(from);
      write('>');
      if (tag === 'head') head();
      if (VOID.has(tag)) return;
      if (secret) write('[masked]');
      else if (from instanceof HTMLTextAreaElement) write(escape(from.value));
      else {
        if (from.shadowRoot) shadow(from.shadowRoot);
        children(from, scope);
      }
      write(`</${tag}>`);
    }

    /** Scripts stay off even where one should have slipped through. */
    function head(): void {
      write(`<meta charset="utf-8"><base href="${escape(document.baseURI)}">`);
      write(
        `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src * data: blob:; style-src * 'unsafe-inline'; font-src * data:; media-src *; frame-src 'self' data:">`,
      );
      for (const adopted of document.adoptedStyleSheets) {
        if (adopted !== sheet) write(`<style>${sheetText(adopted, document) ?? ''}</style>`);
      }
    }

    /** A frame of the same origin writes itself; of others the picture shows what they showed. */
    function frame(element: HTMLIFrameElement): void {
      let inner: Serialized | undefined;
      try {
        inner = (element.contentWindow as unknown as { lbaMasker?: Masker }).lbaMasker?.serialize({
          maxCharacters: limits.maxCharacters - size,
          cssBudgetMs: Math.max(0, cssDeadline - performance.now()),
        });
      } catch {
        // Another origin.
      }
      if (!inner) return;
      masked += inner.masked;
      write(` sandbox="" srcdoc="${escape(inner.html)}"`);
    }

    write('<!doctype html>\n');
    if (document.documentElement) node(document.documentElement, document);
    return { html: out.join(''), masked: masked + ranges.size };
  }

  return { update, count, close, serialize };
}
/* v8 ignore stop -- @preserve */
