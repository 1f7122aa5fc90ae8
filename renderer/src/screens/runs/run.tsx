/** One run: how it stands, its steps, and beside them what was recorded. While it is open, its live view. */
import { Alert, Anchor, Center, Grid, Group, List, Loader, Paper, Stack, Text } from '@mantine/core';
import { IconArrowLeft, IconHandStop } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { Link, useParams } from 'wouter';
import { useApi, type Shapes } from '../../api/api.ts';
import { LevelBadge, StateBadge } from '../../ui/badges.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatDuration, formatFullTime } from '../../ui/format.ts';
import { LiveView } from '../../ui/live-view.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { EndedRunActions, OpenRunActions } from './run-actions.tsx';
import { RunEvidence } from './run-evidence.tsx';
import { Timeline } from './timeline.tsx';
import { UploadProblem, UploadProgress } from './uploads.tsx';

type Detail = Shapes['RunDetail'];

export default function Run(): ReactNode {
  const { run_id: id = '' } = useParams();
  const { query } = useApi();
  const params = { path: { run_id: id } };
  const run = query.useQuery('get', '/api/v1/runs/{run_id}', { params });
  const artifacts = query.useQuery('get', '/api/v1/runs/{run_id}/artifacts', { params });
  if (!run.data) {
    return (
      <>
        <PageHeader title="Run" above={<Back />} />
        {run.error ? (
          <ErrorNotice title="This run cannot be shown" error={run.error} />
        ) : (
          <Center mih={200} role="status" aria-label="Loading">
            <Loader />
          </Center>
        )}
      </>
    );
  }
  return <Shown key={id} run={run.data} artifacts={artifacts.data?.items ?? []} />;
}

function Shown({ run, artifacts }: { run: Detail; artifacts: readonly Shapes['Artifact'][] }): ReactNode {
  const [chosen, setChosen] = useState<number | null>(null);
  const isOver = run.ended_at !== null;
  // Without a choice: where it failed, or where it is.
  const failed = run.steps.findLast(({ error }) => error !== null);
  const step = run.steps.find(({ number }) => number === chosen) ?? failed ?? run.steps.at(-1);
  return (
    <>
      <PageHeader
        title={run.script_name}
        above={<Back />}
        actions={isOver ? <EndedRunActions run={run} /> : <OpenRunActions run={run} />}
        description={<Facts run={run} />}
      />
      <Stack>
        <Notices run={run} />
        {run.state === 'running' && <LiveView runId={run.run_id} height="min(62vh, 560px)" />}
        <Grid gap="lg">
          <Grid.Col span={{ base: 12, md: 5 }}>
            <Paper withBorder p="xs" component="section" aria-label="Timeline">
              {run.steps.length === 0 ? (
                <Text size="sm" c="dimmed" p="xs">
                  {isOver ? 'It ended before its first step.' : 'Its steps are listed as they begin.'}
                </Text>
              ) : (
                <Timeline
                  steps={run.steps}
                  isOver={isOver}
                  chosen={step?.number ?? null}
                  onChoose={setChosen}
                />
              )}
            </Paper>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 7 }} component="section" aria-label="Evidence">
            <RunEvidence run={run} step={step} artifacts={artifacts} />
          </Grid.Col>
        </Grid>
      </Stack>
    </>
  );
}

function Back(): ReactNode {
  return (
    <Anchor component={Link} href="/runs" size="sm" style={{ alignSelf: 'flex-start' }}>
      <Group gap={4} component="span">
        <IconArrowLeft size={14} aria-hidden /> Runs
      </Group>
    </Anchor>
  );
}

function Facts({ run }: { run: Detail }): ReactNode {
  const begun = run.started_at ?? run.queued_at;
  const facts = [
    formatFullTime(begun),
    run.ended_at !== null && run.started_at !== null
      ? `took ${formatDuration(Date.parse(run.ended_at) - Date.parse(run.started_at))}`
      : null,
    run.profile === null ? null : `profile ${run.profile}`,
    run.task_id === null ? null : 'a task from AWS',
    `run ${run.run_id}`,
  ];
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <StateBadge run={run} />
        <LevelBadge level={run.level} />
        <Text size="sm">Recording level: {run.level_reason}</Text>
      </Group>
      <Text size="sm" className="breakable">
        {facts.filter((fact) => fact !== null).join(' · ')}
      </Text>
      <UploadProgress run={run} />
    </Stack>
  );
}

function Notices({ run }: { run: Detail }): ReactNode {
  return (
    <>
      {run.waiting_for_person !== null && (
        <Alert color="yellow" icon={<IconHandStop aria-hidden />} title="This run waits for you">
          {run.waiting_for_person} Do it in the live view below, and say there that it is done.
        </Alert>
      )}
      {run.state === 'waiting' && (
        <Alert color="blue" title="Waiting for its profile">
          Another run has the profile {run.profile ?? ''}. This one begins by itself when that has ended.
        </Alert>
      )}
      {run.error && (
        <Alert color="red" title={run.advice?.title ?? run.error.name} role="alert">
          <Stack gap={6}>
            <Text size="sm" className="breakable">
              {run.error.message}
            </Text>
            {run.advice && (
              <>
                <Text size="sm">{run.advice.meaning}</Text>
                <List size="sm">
                  {run.advice.steps.map((words) => (
                    <List.Item key={words}>{words}</List.Item>
                  ))}
                </List>
              </>
            )}
            <Text size="xs" c="dimmed">
              {run.error.name}
            </Text>
          </Stack>
        </Alert>
      )}
      <UploadProblem run={run} />
    </>
  );
}
