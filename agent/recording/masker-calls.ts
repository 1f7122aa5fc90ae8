/** The expressions by which the recorder speaks to its script in a page (`page/masker.ts`). */
import { MASKER_NAME, type MaskerConfig, type SnapshotLimits } from './page/contract.ts';
import { PAGE_SCRIPT } from './page-script.ts';

/** Installs the masker if it is missing, and applies the configuration. */
export function installMasker(config: MaskerConfig): string {
  return `globalThis.${MASKER_NAME} ??= (() => { ${PAGE_SCRIPT} return lbaPage.createMasker(); })(); ${updateMasker(config)}`;
}

export function updateMasker(config: MaskerConfig): string {
  return `${MASKER_NAME}.update(${JSON.stringify(config)})`;
}

export const COUNT_MASKED = `${MASKER_NAME}.count()`;

/** Does nothing in a document without masker. */
export const CLOSE_MASKER = `globalThis.${MASKER_NAME}?.close()`;

export function takeSnapshot(limits: SnapshotLimits): string {
  return `${MASKER_NAME}.serialize(${JSON.stringify(limits)})`;
}
