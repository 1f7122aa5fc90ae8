/**
 * Runs inside pages, in an isolated world: scripts of the page can neither read the secret values that it is
 * given nor interfere with it. It hides sensitive fields and passages in the page itself, so that every frame,
 * screenshot and video lacks them, and writes HTML snapshots without them.
 *
 * page-script.ts bundles this folder into the text that the recorder sends to pages.
 */
import { MASK_ATTRIBUTE, MASKER_NAME, type Masker, type MaskerConfig } from './contract.ts';
import { FieldEvents } from './field-events.ts';
import { Passages } from './passages.ts';
import { RootWatcher } from './root-watcher.ts';
import { Scanner } from './scanner.ts';
import { SecretValues } from './secret-values.ts';
import { Snapshot } from './snapshot.ts';
import { StyleTexts } from './style-texts.ts';

export function createMasker(): Masker {
  const values = new SecretValues();
  const passages = new Passages(values);
  const scanner = new Scanner({ values, passages, onShadowRoot: (root) => watcher.add(root) });
  const watcher = new RootWatcher({ values, passages, scanner });
  const events = new FieldEvents({ values, scanner, watcher });
  const styles = new StyleTexts();
  // document.open() removes all listeners, and what is written then is a new page.
  const rewritten = new MutationObserver(() => {
    events.listen();
    scanner.scan(document);
  });
  rewritten.observe(document, { childList: true });

  function update(config: MaskerConfig): { masked: number; invalidSelectors: string[] } {
    values.set(config);
    events.typing(config.typing === true);
    const invalidSelectors = scanner.select(config.selectors);
    events.listen();
    passages.register();
    watcher.update(config.selectors.length > 0);
    return { masked: count(), invalidSelectors };
  }

  function count(): number {
    let masked = passages.count;
    for (const root of watcher.roots) masked += root.querySelectorAll(`[${MASK_ATTRIBUTE}]`).length;
    return masked;
  }

  function close(): void {
    rewritten.disconnect();
    watcher.close();
    events.close();
    // The next recorder installs a masker of its own.
    delete (globalThis as Record<string, unknown>)[MASKER_NAME];
  }

  return { update, count, close, serialize: (limits) => new Snapshot({ styles, passages, limits }).take() };
}
