/** All that a run left: of the chosen step, its results, what went wrong in its pages, videos and files. */
import { Alert, Badge, Button, CopyButton, Group, Stack, Table, Tabs, Text } from '@mantine/core';
import { IconCopy, IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { notifications } from '@mantine/notifications';
import type { ReactNode } from 'react';
import { useApi, type Shapes } from '../../api/api.ts';
import { wordsOf } from '../../ui/error-notice.tsx';
import { formatBytes } from '../../ui/format.ts';
import { saveFile } from '../../ui/save-file.ts';
import { fetchEvidence } from '../../ui/use-evidence.ts';
import { ArtifactIcon } from './artifact-icon.tsx';
import { PageHtml, Picture, TextBlock, Video, type Artifact } from './evidence.tsx';
import { PageErrors } from './page-errors.tsx';
import { StepEvidence } from './step-evidence.tsx';

type Detail = Shapes['RunDetail'];

export function RunEvidence({
  run,
  step,
  artifacts,
}: {
  run: Detail;
  step: Detail['steps'][number] | undefined;
  artifacts: readonly Artifact[];
}): ReactNode {
  const data = run.result?.['data'];
  const hasData = typeof data === 'object' && data !== null && Object.keys(data).length > 0;
  const errors = artifacts.find(({ kind }) => kind === 'failure_errors');
  const videos = artifacts.filter(({ content_type: type }) => type.startsWith('video/'));
  const isOver = run.ended_at !== null;
  return (
    <Tabs defaultValue="step" keepMounted={false}>
      <Tabs.List mb="md">
        <Tabs.Tab value="step">Step</Tabs.Tab>
        {isOver && <Tabs.Tab value="data">Results</Tabs.Tab>}
        {errors && <Tabs.Tab value="errors">Page errors</Tabs.Tab>}
        {videos.length > 0 && <Tabs.Tab value="video">Video</Tabs.Tab>}
        <Tabs.Tab value="files">Files ({artifacts.length})</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="step">
        {step ? (
          <StepEvidence run={run} step={step} artifacts={artifacts} />
        ) : (
          <Text c="dimmed">No step has begun.</Text>
        )}
      </Tabs.Panel>
      <Tabs.Panel value="data">
        <Stack gap="sm">
          {hasData ? (
            <JsonBlock value={data} label="Data that the run extracted" />
          ) : (
            <Text c="dimmed">This run extracted no data.</Text>
          )}
          <FinalPage artifacts={artifacts} />
        </Stack>
      </Tabs.Panel>
      {errors && (
        <Tabs.Panel value="errors">
          <PageErrors artifact={errors} />
        </Tabs.Panel>
      )}
      <Tabs.Panel value="video">
        <Stack>
          {videos.map((video) => {
            const label =
              video.kind === 'failure_video' ? 'The last seconds before it failed' : 'The whole run';
            return (
              <Stack key={video.href} gap={4}>
                <Text size="sm" fw={600}>
                  {label}
                </Text>
                <Video artifact={video} label={label} />
              </Stack>
            );
          })}
        </Stack>
      </Tabs.Panel>
      <Tabs.Panel value="files">
        <Files run={run} artifacts={artifacts} />
      </Tabs.Panel>
    </Tabs>
  );
}

function FinalPage({ artifacts }: { artifacts: readonly Artifact[] }): ReactNode {
  const picture = artifacts.find(({ kind }) => kind === 'final_screenshot');
  const html = artifacts.find(({ kind }) => kind === 'final_html');
  if (!picture && !html) return null;
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        The page at the end
      </Text>
      {picture && <Picture artifact={picture} label="The page at the end" />}
      {html && (
        <Group>
          <PageHtml artifact={html} label="Show the page as HTML" />
        </Group>
      )}
    </Stack>
  );
}

function JsonBlock({ value, label }: { value: unknown; label: string }): ReactNode {
  const text = JSON.stringify(value, null, 2);
  return (
    <Stack gap={6}>
      <Group justify="space-between">
        <Text size="sm" fw={600}>
          {label}
        </Text>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconCopy size={14} aria-hidden />}
              onClick={copy}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
      </Group>
      <TextBlock text={text} label={label} />
    </Stack>
  );
}

function Files({ run, artifacts }: { run: Detail; artifacts: readonly Artifact[] }): ReactNode {
  if (artifacts.length === 0) {
    return (
      <Text c="dimmed">
        {run.ended_at === null
          ? 'Files are listed as soon as they are written.'
          : `Nothing was recorded, or it is not kept any more. The recording level was ${run.level}.`}
      </Text>
    );
  }
  return (
    <Stack gap="sm">
      {run.uploads.last_error !== null && (
        <Alert color="yellow" title="Some files wait to be uploaded">
          {run.uploads.last_error}
        </Alert>
      )}
      <Table.ScrollContainer minWidth={420}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>File</Table.Th>
              <Table.Th>Size</Table.Th>
              <Table.Th>In S3</Table.Th>
              <Table.Th aria-label="Save" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {artifacts.map((artifact) => (
              <Table.Tr key={artifact.artifact_id}>
                <Table.Td>
                  <FileName artifact={artifact} />
                </Table.Td>
                <Table.Td className="numbers">{formatBytes(artifact.size_bytes)}</Table.Td>
                <Table.Td>
                  <UploadBadge artifact={artifact} />
                </Table.Td>
                <Table.Td>
                  <SaveButton artifact={artifact} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function FileName({
  artifact: { kind, title, key, opens_with: opensWith },
}: {
  artifact: Artifact;
}): ReactNode {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <ArtifactIcon kind={kind} />
      <Stack gap={0}>
        <Text size="sm">{title}</Text>
        <Text size="xs" c="dimmed" className="breakable">
          {key}
        </Text>
        {opensWith !== null && (
          <Text size="xs" c="dimmed">
            Open it with {opensWith.replaceAll('`', '')}
          </Text>
        )}
      </Stack>
    </Group>
  );
}

function UploadBadge({ artifact: { upload, size_bytes } }: { artifact: Artifact }): ReactNode {
  if (upload === null) return <Text size="xs">Stays here</Text>;
  const percent = size_bytes === 0 ? 0 : Math.floor((upload.sent_bytes / size_bytes) * 100);
  const { label, color } = {
    done: { label: 'Uploaded', color: 'green' },
    failed: { label: 'Failed', color: 'red' },
    pending: { label: percent > 0 ? `${percent} % sent` : 'Waiting', color: 'gray' },
  }[upload.state];
  return (
    <Badge variant="light" color={color} size="sm" tt="none" title={upload.last_error ?? upload.s3_uri}>
      {label}
    </Badge>
  );
}

function SaveButton({ artifact }: { artifact: Artifact }): ReactNode {
  const api = useApi();
  const name = artifact.key.split('/').at(-1) ?? artifact.key;
  const save = useMutation({
    mutationFn: async () => saveFile(name, await fetchEvidence(api, artifact.href)),
    onError: (thrown) => notifications.show({ color: 'red', message: wordsOf(thrown) }),
  });
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      aria-label={`Save ${name}`}
      loading={save.isPending}
      onClick={() => save.mutate()}
    >
      <IconDownload size={16} aria-hidden />
    </Button>
  );
}
