import {
  MASK_ATTRIBUTE,
  MASKER_NAME,
  type Masker,
  type Serialized,
  type SnapshotLimits,
} from './contract.ts';
import { escapeHtml, HtmlWriter } from './html-writer.ts';
import type { Passages } from './passages.ts';
import type { Root } from './root-watcher.ts';
import { isField, isPassword, isSecretName, type Field } from './secret-fields.ts';
import type { CssBudget, StyleTexts } from './style-texts.ts';

const VOID = new Set('area,base,br,col,embed,hr,img,input,link,meta,source,track,wbr'.split(','));
const DROPPED = new Set(['script', 'noscript', 'template', 'object', 'embed', 'applet', 'base']);
/** Attributes that run or verify scripts, or hold a document. */
const DROPPED_ATTRIBUTE = /^(on.*|srcdoc|nonce|integrity|selected)$/;
/** Attributes of a hidden element that say nothing about its content. */
const HARMLESS_ATTRIBUTE = /^(id|class|type|name|role)$/;
/** A second guard against scripts, and nothing but what a page looks like is loaded. */
const CONTENT_POLICY =
  "default-src 'none'; img-src * data: blob:; style-src * 'unsafe-inline'; font-src * data:; media-src *; frame-src 'self' data:";

/** Writes the document as HTML in its present state: values of fields, open shadow roots, styles, frames. */
export class Snapshot {
  readonly #styles: StyleTexts;
  readonly #passages: Passages;
  readonly #out: HtmlWriter;
  readonly #budget: CssBudget;
  #masked = 0;

  constructor(options: { styles: StyleTexts; passages: Passages; limits: SnapshotLimits }) {
    const { maxCharacters, cssBudgetMs } = options.limits;
    this.#styles = options.styles;
    this.#passages = options.passages;
    this.#out = new HtmlWriter(maxCharacters);
    this.#budget = { deadlineMs: performance.now() + cssBudgetMs, keepsAll: cssBudgetMs === 0 };
  }

  take(): Serialized {
    this.#out.write('<!doctype html>\n');
    if (document.documentElement) this.#node(document.documentElement, document);
    return { html: this.#out.toString(), masked: this.#masked + this.#passages.count };
  }

  #node(node: Node, scope: Root): void {
    if (this.#out.isFull) return;
    if (node.nodeType === Node.TEXT_NODE) this.#out.write(escapeHtml((node as Text).data));
    if (!(node instanceof Element) || isDropped(node)) return;
    if (node instanceof HTMLLinkElement) this.#link(node, scope);
    else if (node instanceof HTMLStyleElement) this.#style(node.sheet, scope);
    else this.#element(node, scope);
  }

  /** A style sheet as its text; icons as they are; nothing else. */
  #link(link: HTMLLinkElement, scope: Root): void {
    if (!link.relList.contains('stylesheet')) {
      if (/icon/.test(link.rel)) this.#element(link, scope);
      return;
    }
    const href = escapeHtml(link.href);
    const text = link.sheet ? this.#styles.textOf(link.sheet, scope, this.#budget) : null;
    if (text !== null) this.#out.write(`<style data-href="${href}">${text}</style>`);
    else this.#out.write(`<link rel="stylesheet" href="${href}">`);
  }

  #style(sheet: CSSStyleSheet | null, scope: Root): void {
    const text = sheet && this.#styles.textOf(sheet, scope, this.#budget);
    this.#out.write(`<style>${text ?? ''}</style>`);
  }

  #element(element: Element, scope: Root): void {
    const tag = element.localName;
    const isHidden = isField(element) ? isHiddenField(element) : element.hasAttribute(MASK_ATTRIBUTE);
    this.#out.write(`<${tag}`);
    this.#attributes(element, isHidden);
    if (element instanceof HTMLIFrameElement && !isHidden) this.#frame(element);
    this.#out.write('>');
    if (tag === 'head') this.#head();
    if (VOID.has(tag)) return;
    if (isHidden) this.#out.write('[masked]');
    else if (element instanceof HTMLTextAreaElement) this.#out.write(escapeHtml(element.value));
    else {
      if (element.shadowRoot) this.#shadow(element.shadowRoot);
      this.#children(element, scope);
    }
    this.#out.write(`</${tag}>`);
  }

  #attributes(element: Element, isHidden: boolean): void {
    for (const { name, value } of element.attributes) {
      if (DROPPED_ATTRIBUTE.test(name) || (isHidden && !HARMLESS_ATTRIBUTE.test(name))) continue;
      // The state of a field is written below.
      if (isField(element) && (name === 'value' || name === 'checked')) continue;
      if (element.localName === 'iframe' && name === 'src') this.#out.attribute('data-src', value);
      else this.#out.attribute(name, /^\s*(javascript|vbscript):/i.test(value) ? '#' : value);
    }
    if (isHidden) {
      this.#masked += 1;
      this.#out.attribute(MASK_ATTRIBUTE, '');
    } else if (element instanceof HTMLInputElement) {
      if (element.type !== 'file' && element.value !== '') this.#out.attribute('value', element.value);
      if (element.checked) this.#out.attribute('checked', '');
    }
    if (element instanceof HTMLOptionElement && element.selected) this.#out.attribute('selected', '');
  }

  #children(parent: Node, scope: Root): void {
    for (const child of parent.childNodes) this.#node(child, scope);
  }

  #shadow(root: ShadowRoot): void {
    this.#out.write(`<template shadowrootmode="open">`);
    this.#adopted(root);
    this.#children(root, root);
    this.#out.write('</template>');
  }

  #head(): void {
    this.#out.write(`<meta charset="utf-8"><base href="${escapeHtml(document.baseURI)}">`);
    this.#out.write(`<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">`);
    this.#adopted(document);
  }

  #adopted(root: Root): void {
    for (const sheet of root.adoptedStyleSheets) {
      if (!this.#passages.isOwnSheet(sheet)) this.#style(sheet, root);
    }
  }

  /** A frame of the same origin writes itself. Frames of other origins stay empty: the picture shows them. */
  #frame(element: HTMLIFrameElement): void {
    let inner: Serialized | undefined;
    try {
      const world = element.contentWindow as unknown as Record<string, Masker | undefined> | null;
      inner = world?.[MASKER_NAME]?.serialize({
        maxCharacters: this.#out.left,
        cssBudgetMs: Math.max(0, this.#budget.deadlineMs - performance.now()),
      });
    } catch {
      // Another origin.
    }
    if (!inner) return;
    this.#masked += inner.masked;
    this.#out.write(` sandbox="" srcdoc="${escapeHtml(inner.html)}"`);
  }
}

function isDropped(element: Element): boolean {
  if (DROPPED.has(element.localName)) return true;
  if (element.localName !== 'meta') return false;
  return element.hasAttribute('http-equiv') || isSecretName(element.getAttribute('name') ?? '');
}

function isHiddenField(field: Field): boolean {
  if (field.hasAttribute(MASK_ATTRIBUTE) || isPassword(field)) return true;
  if (field.type === 'hidden') return isSecretName(field.name + field.id);
  // The page shows dots itself.
  return field.value !== '' && getComputedStyle(field).getPropertyValue('-webkit-text-security') !== 'none';
}
