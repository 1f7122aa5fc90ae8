/** Evidence of a run, fetched with the key: an address cannot carry one. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { ApiProblem } from '../../../agent/client/problem.ts';
import { useApi, type Api } from '../api/api.ts';

/** A file of evidence never changes; it is held this long after nobody shows it, in milliseconds. */
const HELD_MS = 60_000;

/** @param href of an artifact; null: nothing is fetched */
export function useEvidenceBlob(href: string | null): UseQueryResult<Blob> {
  const api = useApi();
  return useQuery({
    queryKey: ['evidence', href],
    queryFn: async ({ signal }) => fetchEvidence(api, href!, signal),
    enabled: href !== null,
    staleTime: Infinity,
    gcTime: HELD_MS,
  });
}

export function useEvidenceText(href: string | null): UseQueryResult<string> {
  const api = useApi();
  return useQuery({
    queryKey: ['evidence-text', href],
    queryFn: async ({ signal }) => (await fetchEvidence(api, href!, signal)).text(),
    enabled: href !== null,
    staleTime: Infinity,
    gcTime: HELD_MS,
  });
}

/** An address for a blob, as long as the component shows it. */
export function useObjectUrl(blob: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob) return undefined;
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => {
      setUrl(null);
      URL.revokeObjectURL(made);
    };
  }, [blob]);
  return url;
}

/** The file is not on this machine any more; it may be in S3. */
export function isGone(thrown: unknown): boolean {
  return thrown instanceof ApiProblem && thrown.status === 404;
}

export async function fetchEvidence(
  { url, token }: Pick<Api, 'url' | 'token'>,
  href: string,
  signal?: AbortSignal,
): Promise<Blob> {
  const response = await fetch(`${url}${href}`, {
    headers: { authorization: `Bearer ${token}` },
    ...(signal ? { signal } : {}),
  });
  if (!response.ok) throw new ApiProblem(response.status, await response.json().catch(() => undefined));
  return response.blob();
}
