/** Keeps the text of an editor while it is not saved. */
import { useEffect, useRef } from 'react';
import { dropDraft, writeDraft } from './drafts.ts';

/** Who types is not held up by each letter, in milliseconds. */
const PAUSE_MS = 300;

export function useDraft(
  id: string,
  { text, base, isChanged }: { text: string; base: string; isChanged: boolean },
): {
  /** It is saved or gone: nothing is kept any more. */
  forget: () => void;
} {
  const pending = useRef<(() => void) | null>(null);
  useEffect(() => {
    const keep = (): void => {
      pending.current = null;
      if (isChanged) writeDraft(id, { text, base, at: Date.now() });
      else dropDraft(id);
    };
    pending.current = keep;
    const timer = setTimeout(() => pending.current?.(), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [id, text, base, isChanged]);
  // The last letters before somebody goes elsewhere count too.
  useEffect(() => {
    const now = (): void => pending.current?.();
    window.addEventListener('pagehide', now);
    return () => {
      window.removeEventListener('pagehide', now);
      now();
    };
  }, []);
  return {
    forget: () => {
      pending.current = null;
      dropDraft(id);
    },
  };
}
