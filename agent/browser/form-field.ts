import { selectors } from 'playwright';

/**
 * Three selector engines of ours, so that Playwright's own waiting, retrying and strictness work for them:
 *
 * - `lba-field`: an input by its visible label, however the page builds it;
 * - `lba-xpath`: XPath that also looks inside open shadow roots (Playwright's own does not);
 * - `lba-frame`: an iframe by name, id, title, CSS or part of its URL.
 *
 * Their bodies are JSON, which Playwright's selector parser leaves alone because of the quotes. The engine
 * functions are sent to the page as source: each must stand alone. Load this module before a browser
 * context is opened.
 */

export interface FieldQuery {
  label: string;
  type?: 'input' | 'textarea' | 'select' | undefined;
  exact?: boolean | undefined;
}

export const fieldSelector = (query: FieldQuery): string => `lba-field=${JSON.stringify(query)}`;
export const xpathSelector = (expression: string): string => `lba-xpath=${JSON.stringify(expression)}`;
export const frameSelector = (frame: string): string => `lba-frame=${JSON.stringify(frame)}`;

async function register(name: string, engine: () => unknown): Promise<void> {
  try {
    // A content script: the page's own scripts cannot see it or change what it finds.
    await selectors.register(name, engine, { contentScript: true });
  } catch (thrown) {
    if (!String(thrown).includes('already registered')) throw thrown;
  }
}

type Root = Document | Element | ShadowRoot;

/**
 * Scores every control of the page by how well its label matches; the best ones are the result. Where a
 * label comes from, best first: label element and ARIA; placeholder and title; the text that stands
 * before it (or after, for a checkbox or a floating label); its column's header; its name or id.
 */
function fieldEngine() {
  const CONTROLS =
    'input:not([type=hidden],[type=submit],[type=button],[type=reset],[type=image]),textarea,select,' +
    '[contenteditable=""],[contenteditable=true],[contenteditable=plaintext-only],[role=textbox],' +
    '[role=searchbox],[role=combobox],[role=listbox],[role=spinbutton],[role=checkbox],[role=radio],' +
    '[role=switch],[role=slider],[aria-haspopup=listbox]';
  /** How far up a label is looked for: enough for a grid of wrappers, not the whole page. */
  const MAX_CLIMB = 6;
  /** A label is short; a paragraph before an input is not its label. In characters. */
  const MAX_LABEL_LENGTH = 120;
  const NO_MATCH = 1_000;

  const plain = (text: string | null | undefined) =>
    (text ?? '')
      .replace(/\s+/g, ' ')
      .replace(/\s*\((?:required|optional)\)\s*$/i, '')
      .replace(/^[\s*]+|[\s:*\uFF1A]+$/g, '');
  const shown = (el: Element) => {
    const box = el.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && el.checkVisibility({ visibilityProperty: true });
  };
  const parentOf = (node: Node): Element | null =>
    node.parentElement ?? (node.parentNode instanceof ShadowRoot ? node.parentNode.host : null);

  /** The text a person sees in there, without what controls hold (the options of a select, say). */
  function textIn(node: Node): string {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent ?? '';
    if (!(node instanceof Element) || /^(?:SCRIPT|STYLE|TEMPLATE|NOSCRIPT)$/.test(node.tagName)) return '';
    if (
      node.matches(CONTROLS) ||
      node.matches('button') ||
      !node.checkVisibility({ visibilityProperty: true })
    )
      return '';
    return [...node.childNodes].map(textIn).join(' ');
  }

  /** Every control, through open shadow roots, in document order. */
  function controlsIn(root: Root): Element[] {
    const found: Element[] = [];
    for (const el of root.querySelectorAll('*')) {
      if (el.matches(CONTROLS)) found.push(el);
      if (el.shadowRoot) found.push(...controlsIn(el.shadowRoot));
    }
    return found;
  }

  function isOfType(el: Element, type: FieldQuery['type']): boolean {
    if (!type) return true;
    const role = el.getAttribute('role');
    if (type === 'select')
      return (
        el instanceof HTMLSelectElement ||
        role === 'combobox' ||
        role === 'listbox' ||
        el.getAttribute('aria-haspopup') === 'listbox'
      );
    if (type === 'textarea')
      return el instanceof HTMLTextAreaElement || (el as HTMLElement).isContentEditable || role === 'textbox';
    return !(el instanceof HTMLTextAreaElement || el instanceof HTMLSelectElement);
  }

  function ownLabels(el: Element): string[] {
    const scope = el.getRootNode() as Document | ShadowRoot;
    const texts: (string | null)[] = [el.getAttribute('aria-label')];
    const referred = el.getAttribute('aria-labelledby');
    if (referred)
      texts.push(
        referred
          .split(/\s+/)
          .map((id) => scope.getElementById(id))
          .map((label) => (label ? textIn(label) || label.textContent : ''))
          .join(' '),
      );
    const labels = new Set<Element>((el as HTMLInputElement).labels ?? []);
    if (el.id) for (const l of scope.querySelectorAll(`label[for="${CSS.escape(el.id)}"]`)) labels.add(l);
    const around = el.closest('label');
    if (around) labels.add(around);
    // A label that is hidden (screen readers only) still names its field.
    for (const label of labels) texts.push(textIn(label) || label.textContent);
    if (scope instanceof ShadowRoot)
      texts.push(scope.host.getAttribute('label'), scope.host.getAttribute('aria-label'));
    return texts.map(plain).filter(Boolean);
  }

  /** The text a person would read as the label: the nearest before the control, climbing out of wrappers. */
  function nearbyText(el: Element): string[] {
    const texts: string[] = [];
    const type = el instanceof HTMLInputElement ? el.type : el.getAttribute('role');
    const labelFollows = type === 'checkbox' || type === 'radio' || type === 'switch';
    const scan = (from: Node, step: 'previousSibling' | 'nextSibling'): string => {
      for (let node = from[step]; node; node = node[step]) {
        if (node instanceof Element && (node.matches(CONTROLS) || node.querySelector(CONTROLS))) return '';
        const text = plain(textIn(node));
        if (text) return text.length <= MAX_LABEL_LENGTH ? text : '';
      }
      return '';
    };
    let node: Element | null = el;
    for (let climbed = 0; node && climbed < MAX_CLIMB; climbed += 1) {
      if (node.matches('body,form,table,tbody')) break;
      if (labelFollows) {
        const after = scan(node, 'nextSibling');
        if (after) return [...texts, after];
      }
      const before = scan(node, 'previousSibling');
      if (before) return [...texts, before];
      const next = node.nextElementSibling;
      if (next?.matches('label,[class*=label i],[class*=placeholder i]') && !next.querySelector(CONTROLS))
        texts.push(plain(textIn(next)));
      const parent = parentOf(node);
      // Beyond a wrapper with an earlier control, the text belongs to that one.
      if (parent) {
        const first = [...parent.querySelectorAll(CONTROLS)].find(shown);
        if (first && first !== el && !first.contains(el) && !el.contains(first)) break;
      }
      node = parent;
    }
    return texts.filter(Boolean);
  }

  function columnHeader(el: Element): string[] {
    const cell = el.closest('td');
    const table = cell?.closest('table');
    if (!cell || !table) return [];
    const header = table.querySelector('thead tr') ?? table.rows[0];
    const text = plain(
      header && textIn(header.children[cell.cellIndex] ?? header.ownerDocument.createTextNode('')),
    );
    return text && !header?.contains(cell) ? [text] : [];
  }

  function queryAll(root: Root, body: string): Element[] {
    const query = JSON.parse(body) as FieldQuery;
    const wanted = plain(query.label);
    const folded = wanted.toLowerCase();
    const quality = (text: string): number => {
      if (query.exact) return text === wanted ? 0 : NO_MATCH;
      const candidate = text.toLowerCase();
      if (candidate === folded) return 0;
      const at = candidate.indexOf(folded);
      if (at < 0) return NO_MATCH;
      // "Name" must not find "Surname".
      const isLetter = (char: string | undefined) => char !== undefined && /[\p{L}\p{N}]/u.test(char);
      if (isLetter(candidate[at - 1]) || isLetter(candidate[at + folded.length])) return NO_MATCH;
      return at === 0 ? 10 : 20;
    };
    const best = (texts: string[], penalty: number) =>
      Math.min(NO_MATCH, ...texts.map((text) => quality(text) + penalty));

    const candidates = controlsIn(root)
      .filter((el) => isOfType(el, query.type))
      .map((el) => ({ el, visible: shown(el), score: best(ownLabels(el), 0) }));
    const pick = (): Element[] => {
      const matching = candidates.filter((c) => c.score < NO_MATCH);
      const visible = matching.filter((c) => c.visible);
      const pool = visible.length > 0 ? visible : matching;
      const top = Math.min(...pool.map((c) => c.score));
      return pool.filter((c) => c.score === top).map((c) => c.el);
    };
    // The usual page labels its fields: do not look further when one is named exactly so.
    if (candidates.some((c) => c.visible && c.score === 0)) return pick();

    for (const candidate of candidates) {
      const { el } = candidate;
      const hints = ['placeholder', 'aria-placeholder', 'data-placeholder', 'title'].map((name) =>
        plain(el.getAttribute(name)),
      );
      const inside =
        el.getAttribute('role') === 'combobox' || el.matches('button') ? plain(el.textContent) : '';
      const names = [el.getAttribute('name'), el.id].map((name) =>
        plain((name ?? '').replace(/([a-z\d])([A-Z])/g, '$1 $2').replace(/[_.\-[\]]+/g, ' ')),
      );
      candidate.score = Math.min(
        candidate.score,
        best(hints.filter(Boolean), 1),
        best(nearbyText(el), 2),
        best([...columnHeader(el), inside].filter(Boolean), 3),
        // What a person cannot see comes last, and only if it is the whole name.
        names.some((name) => name.toLowerCase() === folded) && !query.exact ? 35 : NO_MATCH,
      );
    }
    return pick();
  }

  return { queryAll, query: (root: Root, body: string) => queryAll(root, body)[0] };
}

/**
 * XPath over the document, then over each open shadow root. A shadow root is no context node for XPath, so
 * its tree is copied into an inert document and the hits are mapped back by their position.
 */
function xpathEngine() {
  function evaluate(document: Document, expression: string, context: Node): Node[] {
    const result = document.evaluate(
      expression.startsWith('/') && context.nodeType !== Node.DOCUMENT_NODE ? `.${expression}` : expression,
      context,
      null,
      XPathResult.ORDERED_NODE_ITERATOR_TYPE,
    );
    const found: Node[] = [];
    for (let node = result.iterateNext(); node; node = result.iterateNext()) found.push(node);
    return found;
  }

  function inShadow(shadow: ShadowRoot, expression: string): Element[] {
    const inert = document.implementation.createHTMLDocument('');
    const copy = inert.createElement('div');
    copy.append(...[...shadow.childNodes].map((child) => inert.importNode(child, true)));
    return evaluate(inert, expression, copy).flatMap((hit) => {
      const path: number[] = [];
      let node: Node = hit;
      while (node !== copy) {
        const parent: Node | null = node.parentNode;
        if (!parent) return [];
        path.unshift([...parent.childNodes].indexOf(node as ChildNode));
        node = parent;
      }
      let original: Node | undefined = shadow;
      for (const index of path) original = original?.childNodes[index];
      return original instanceof Element ? [original] : [];
    });
  }

  function shadowRootsIn(root: Root): ShadowRoot[] {
    return [...root.querySelectorAll('*')].flatMap((el) =>
      el.shadowRoot ? [el.shadowRoot, ...shadowRootsIn(el.shadowRoot)] : [],
    );
  }

  function queryAll(root: Root, body: string): Element[] {
    const expression = JSON.parse(body) as string;
    const light = evaluate(root.ownerDocument ?? document, expression, root).filter(
      (node) => node instanceof Element,
    );
    if (light.length > 0) return light;
    return shadowRootsIn(root).flatMap((shadow) => inShadow(shadow, expression));
  }

  return { queryAll, query: (root: Root, body: string) => queryAll(root, body)[0] };
}

function frameEngine() {
  type Frame = HTMLIFrameElement;
  function framesIn(root: Root): Frame[] {
    return [...root.querySelectorAll('*')].flatMap((el) => [
      ...(el.matches('iframe,frame') ? [el as Frame] : []),
      ...(el.shadowRoot ? framesIn(el.shadowRoot) : []),
    ]);
  }
  const urls = (frame: Frame): string[] => {
    try {
      // Where it is now; a frame of another origin does not say, its `src` does.
      return [frame.src, frame.contentDocument?.URL ?? ''];
    } catch {
      return [frame.src];
    }
  };
  const matches = (frame: Frame, css: string): boolean => {
    try {
      return frame.matches(css);
    } catch {
      return false;
    }
  };
  function queryAll(root: Root, body: string): Element[] {
    const wanted = JSON.parse(body) as string;
    const frames = framesIn(root);
    const ways: ((frame: Frame) => boolean)[] = [
      (frame) => frame.name === wanted || frame.id === wanted,
      (frame) => frame.title === wanted,
      (frame) => matches(frame, wanted),
      (frame) => urls(frame).some((url) => url.includes(wanted)),
    ];
    for (const way of ways) {
      const found = frames.filter(way);
      if (found.length > 0) return found;
    }
    return [];
  }
  return { queryAll, query: (root: Root, body: string) => queryAll(root, body)[0] };
}

// When this module is loaded, so that every context that is opened later has them from its first page on:
// a page that Playwright has looked into before never learns of a new engine.
await Promise.all([
  register('lba-field', fieldEngine),
  register('lba-xpath', xpathEngine),
  register('lba-frame', frameEngine),
]);
