/** What a script was before it was changed: to be compared with, and to go back to. */
import { Badge, Button, Group, Loader, Modal, Paper, Stack, Text } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useApi, type Shapes } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatAgo, formatFullTime } from '../../ui/format.ts';
import { DiffView } from './editor/diff-view.tsx';
import { formatJson, isSameJson } from './format-json.ts';

type Version = Shapes['ScriptVersion'];

export function Versions({
  reference,
  text,
  onRestore,
}: {
  reference: string;
  /** As it is in the editor. */
  text: string;
  onRestore: (text: string) => void;
}): ReactNode {
  const { query } = useApi();
  const { data, error } = query.useQuery(
    'get',
    '/api/v1/scripts/{reference}/versions',
    { params: { path: { reference } } },
    { staleTime: 0 },
  );
  const [shown, setShown] = useState<Version | null>(null);
  if (error !== null) return <ErrorNotice title="The earlier texts cannot be listed" error={error} />;
  if (!data) return <Loader size="sm" />;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        Each text that was saved is kept, the last 100 of them.
      </Text>
      <Stack
        component="ol"
        gap="xs"
        p={0}
        m={0}
        style={{ listStyle: 'none' }}
        aria-label="Texts of the script"
      >
        {data.items.map((version) => (
          <Paper key={version.version_id} component="li" withBorder p="xs">
            <Group justify="space-between" gap="xs">
              <div>
                <Text size="sm" title={formatFullTime(version.saved_at)}>
                  {formatFullTime(version.saved_at)}
                </Text>
                <Text size="xs" c="dimmed">
                  {formatAgo(version.saved_at)}, {whoWords(version)}
                </Text>
              </div>
              <Group gap="xs">
                {version.current && (
                  <Badge variant="light" tt="none">
                    Stored now
                  </Badge>
                )}
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`Compare with the text of ${formatFullTime(version.saved_at)}`}
                  onClick={() => setShown(version)}
                >
                  Compare
                </Button>
              </Group>
            </Group>
          </Paper>
        ))}
      </Stack>
      {shown !== null && (
        <Compare
          reference={reference}
          version={shown}
          text={text}
          onClose={() => setShown(null)}
          onRestore={(earlier) => {
            setShown(null);
            onRestore(earlier);
          }}
        />
      )}
    </Stack>
  );
}

function Compare({
  reference,
  version,
  text,
  onClose,
  onRestore,
}: {
  reference: string;
  version: Version;
  text: string;
  onClose: () => void;
  onRestore: (text: string) => void;
}): ReactNode {
  const { query } = useApi();
  const { data, error } = query.useQuery('get', '/api/v1/scripts/{reference}/versions/{version_id}', {
    params: { path: { reference, version_id: version.version_id } },
  });
  const earlier = data === undefined ? null : laidOut(data.text);
  // Laid out alike, so that only what was really changed is shown as changed.
  const now = laidOut(text);
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={`From ${formatFullTime(version.saved_at)} to what is in the editor`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="sm">
        <ErrorNotice title="This text cannot be shown" error={error} />
        {earlier !== null &&
          (isSameJson(earlier, now) ? (
            <Text size="sm">There is no difference.</Text>
          ) : (
            <DiffView before={earlier} after={now} label="What is different" />
          ))}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button disabled={earlier === null} onClick={() => onRestore(earlier ?? '')}>
            Put this text into the editor
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function laidOut(text: string): string {
  try {
    return formatJson(JSON.parse(text));
  } catch {
    return text;
  }
}

function whoWords({ by }: Version): string {
  if (by === null) return 'the file was changed';
  switch (by.kind) {
    case 'owner':
      return 'saved at this computer';
    case 'key':
      return 'saved by a program';
    case 'task':
      return 'saved for a task';
    case 'cli':
      return 'saved on the command line';
    default:
      return `saved by ${by.kind}`;
  }
}
