/** The editor with what it begins from: a stored script, or a new one; and changes that were not saved. */
import { Skeleton } from '@mantine/core';
import { IconFileUnknown } from '@tabler/icons-react';
import { useMemo, useState, type ReactNode } from 'react';
import { ApiProblem } from '../../../../agent/client/problem.ts';
import { useApi } from '../../api/api.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { BackToScripts } from './back-to-scripts.tsx';
import { NEW_DRAFT, readDraft } from './drafts.ts';
import { formatJson } from './format-json.ts';
import { SHORT_SCRIPT } from './new-script.tsx';
import { ScriptEditor } from './script-editor.tsx';

export function EditNew(): ReactNode {
  const [draft] = useState(() => readDraft(NEW_DRAFT));
  return <ScriptEditor reference={null} stored="" draft={draft ?? { text: SHORT_SCRIPT, base: '', at: 0 }} />;
}

export function EditStored({ reference }: { reference: string }): ReactNode {
  const { query } = useApi();
  const { data, error, refetch } = query.useQuery(
    'get',
    '/api/v1/scripts/{reference}',
    { params: { path: { reference } } },
    { staleTime: 0 },
  );
  const [draft] = useState(() => readDraft(reference));
  const stored = useMemo(() => (data === undefined ? null : formatJson(data)), [data]);
  if (stored !== null) return <ScriptEditor reference={reference} stored={stored} draft={draft} />;
  if (error === null) return <Skeleton h={420} role="status" aria-label="Loading the script" />;
  if (error instanceof ApiProblem && error.status === 404) {
    return (
      <EmptyState title={`There is no script “${reference}” any more`} icon={IconFileUnknown}>
        <BackToScripts />
      </EmptyState>
    );
  }
  return <ErrorNotice title="The script cannot be opened" error={error} onRetry={() => void refetch()} />;
}
