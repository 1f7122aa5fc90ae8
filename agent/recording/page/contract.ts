/** What the recorder and its script in the pages know of each other. */

/** Marks a hidden element. The trace is redacted by it too. */
export const MASK_ATTRIBUTE = 'data-lba-masked';

/** The isolated world of the script: scripts of the page cannot see it. */
export const WORLD_NAME = 'local-browser-agent';

/** The binding through which the script reports what was typed into a hidden field. */
export const PASSWORD_BINDING = 'lbaPassword';

/** The name of the {@link Masker} in its world. */
export const MASKER_NAME = 'lbaMasker';

export interface MaskerConfig {
  /** Configured CSS selectors. */
  selectors: readonly string[];
  /** Secret values of some length: hidden wherever the page shows them. */
  values: readonly string[];
  /** Short secret values: hidden only where they are the whole value of a field. */
  shortValues: readonly string[];
  /** A person types: the fields that they type into are remembered, and hidden when this ends. */
  typing?: boolean;
}

export interface SnapshotLimits {
  maxCharacters: number;
  /** Time for leaving out style rules that nothing uses (ms); 0: all rules are kept. */
  cssBudgetMs: number;
}

export interface Serialized {
  html: string;
  /** Fields and elements whose content is left out. */
  masked: number;
}

export interface Masker {
  update(config: MaskerConfig): { masked: number; invalidSelectors: string[] };
  /** Hidden elements and passages at this moment. */
  count(): number;
  /** Stops watching, for a page that stays open: what is hidden stays hidden. */
  close(): void;
  /** The document as HTML, without scripts and hidden content. */
  serialize(limits: SnapshotLimits): Serialized;
}
