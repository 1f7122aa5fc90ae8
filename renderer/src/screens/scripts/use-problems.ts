/** What the agent says of a script while it is written. */
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData } from '@tanstack/react-query';
import type { Problem } from '../../../../agent/script/problem.ts';
import { useApi } from '../../api/api.ts';

/** Who types is not asked about every letter, in milliseconds. */
const PAUSE_MS = 350;
/** Texts that were judged are kept for going back and forth, in milliseconds. */
const KEPT_MS = 60_000;

export interface Judgement {
  problems: readonly Problem[];
  /** The text was looked at as it is now. */
  isUpToDate: boolean;
  isValid: boolean;
  error: unknown;
}

export function useProblems(text: string): Judgement {
  const { query } = useApi();
  const [settled] = useDebouncedValue(text, PAUSE_MS);
  const { data, error, isPlaceholderData } = query.useQuery(
    'post',
    '/api/v1/scripts/validate',
    { body: { script: settled } },
    { placeholderData: keepPreviousData, staleTime: Infinity, gcTime: KEPT_MS },
  );
  return {
    problems: data?.problems ?? [],
    isUpToDate: data !== undefined && !isPlaceholderData && settled === text,
    isValid: data?.valid === true,
    error,
  };
}
