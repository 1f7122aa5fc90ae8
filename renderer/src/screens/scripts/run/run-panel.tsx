/** Runs what is in the editor, here, saved or not. */
import { Button, Checkbox, Group, Paper, Select, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconPlayerPlay, IconPlayerTrackNext } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState, type ReactNode } from 'react';
import { answerOf } from '../../../../../agent/client/client.ts';
import { RECORDING_LEVELS, type RecordingLevel } from '../../../../../agent/base/words.ts';
import { useApi } from '../../../api/api.ts';
import { ErrorNotice } from '../../../ui/error-notice.tsx';
import { readValues, writeValues } from '../drafts.ts';
import { fieldsOf, valuesOf, type VariableField, type VariableTexts } from '../variables.ts';
import { CurrentRun } from './current-run.tsx';
import { VariablesForm } from './variables-form.tsx';

export function RunPanel({
  id,
  text,
  canRun,
  onStep,
}: {
  /** Under which the values of variables are kept. */
  id: string;
  text: string;
  /** The agent found nothing that keeps it from running. */
  canRun: boolean;
  /** Told the path of the step that the run is at. */
  onStep: (path: string | null) => void;
}): ReactNode {
  const { client, query } = useApi();
  const queryClient = useQueryClient();
  const profiles = query.useQuery('get', '/api/v1/profiles').data?.items ?? [];
  const [level, setLevel] = useState<RecordingLevel | null>(null);
  const [profile, setProfile] = useState<string | null>(null);
  const [isHeaded, setIsHeaded] = useState(false);
  const [runId, setRunId] = useState<string | null>(null);
  const [texts, setTexts] = useState<VariableTexts>(() => readValues(id));
  const [isAsked, setIsAsked] = useState(false);
  const fields = useMemo(() => fieldsOf(text), [text]);
  const { values, wrong } = useMemo(() => valuesOf(fields ?? [], texts), [fields, texts]);
  const start = useMutation({
    mutationFn: (paused: boolean) =>
      answerOf(
        client.POST('/api/v1/runs', {
          body: {
            script: JSON.parse(text) as Record<string, unknown>,
            variables: values,
            paused,
            ...(level === null ? {} : { level }),
            ...(profile === null ? {} : { profile }),
            ...(isHeaded ? { headed: true } : {}),
          },
        }),
      ),
    onSuccess: ({ run_id }) => {
      setRunId(run_id);
      void queryClient.invalidateQueries({ queryKey: ['get', '/api/v1/runs'] });
    },
  });
  const begin = (paused: boolean): void => {
    setIsAsked(true);
    if (Object.keys(wrong).length > 0) return;
    writeValues(id, withoutSecrets(fields ?? [], texts));
    start.mutate(paused);
  };
  return (
    <Stack gap="md">
      <Paper withBorder p="md" component="section" aria-labelledby="run-here">
        <Stack gap="sm">
          <Title order={2} size="h5" id="run-here">
            Run here
          </Title>
          {fields !== null && fields.length > 0 && (
            <VariablesForm
              fields={fields}
              texts={texts}
              wrong={isAsked ? wrong : {}}
              onChange={(name, value) => setTexts((before) => ({ ...before, [name]: value }))}
            />
          )}
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            <Select
              label="Recording level"
              placeholder="As script and settings say"
              data={[...RECORDING_LEVELS]}
              value={level}
              onChange={(value) => setLevel(value as RecordingLevel | null)}
              clearable
            />
            <Select
              label="Profile"
              placeholder="As the script says"
              data={profiles.map(({ name }) => name)}
              value={profile}
              onChange={setProfile}
              searchable
              clearable
              nothingFoundMessage="There is no such profile"
            />
          </SimpleGrid>
          <Checkbox
            label="Show the window of the browser"
            description="Otherwise you see it below only."
            checked={isHeaded}
            onChange={({ currentTarget }) => setIsHeaded(currentTarget.checked)}
          />
          <Group gap="xs">
            <Button
              leftSection={<IconPlayerPlay size={16} aria-hidden />}
              disabled={!canRun}
              loading={start.isPending && !start.variables}
              onClick={() => begin(false)}
            >
              Run
            </Button>
            <Button
              variant="default"
              leftSection={<IconPlayerTrackNext size={16} aria-hidden />}
              disabled={!canRun}
              loading={start.isPending && start.variables}
              onClick={() => begin(true)}
            >
              Step through
            </Button>
          </Group>
          <Text size="xs" c="dimmed">
            {canRun
              ? 'This runs what is in the editor, saved or not.'
              : 'It can run when the problems below the text are gone.'}
          </Text>
          {start.isError && <ErrorNotice title="The run did not start" error={start.error} />}
        </Stack>
      </Paper>
      {runId !== null && <CurrentRun key={runId} runId={runId} onStep={onStep} />}
    </Stack>
  );
}

/** Secrets are for one run: they are not kept. */
function withoutSecrets(fields: readonly VariableField[], texts: VariableTexts): Record<string, string> {
  const open = fields.filter(({ isSecret }) => !isSecret);
  return Object.fromEntries(
    open.flatMap(({ name }) => {
      const text = texts[name] ?? '';
      return text === '' ? [] : [[name, text]];
    }),
  );
}
