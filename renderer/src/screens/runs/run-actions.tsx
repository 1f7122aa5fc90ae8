/** What can be done with a run: pause and cancel while it is open, run again and make a test of it after. */
import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import {
  IconClipboardText,
  IconExternalLink,
  IconFolder,
  IconPlayerPause,
  IconPlayerPlay,
  IconRepeat,
  IconX,
} from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { bridge } from '../../bridge.ts';
import { navigate } from '../../location.ts';
import { wordsOf } from '../../ui/error-notice.tsx';
import { FormDialog } from '../../ui/form-dialog.tsx';
import { openAddress, openFolder } from '../../ui/open-outside.ts';
import { saveFile } from '../../ui/save-file.ts';

type Detail = Shapes['RunDetail'];
type OpenRun = Pick<Detail, 'run_id' | 'script_name' | 'state' | 'paused' | 'pause'>;

function sayProblem(thrown: unknown): void {
  notifications.show({ color: 'red', message: wordsOf(thrown) });
}

/** Pause, go on, cancel: of a run that is open. */
export function OpenRunActions({ run }: { run: OpenRun }): ReactNode {
  const { client } = useApi();
  const queries = useQueryClient();
  const params = { path: { run_id: run.run_id } };
  const act = useMutation({
    mutationFn: async (verb: 'pause' | 'resume' | 'cancel') =>
      answerOf<Shapes['Run']>(client.POST(`/api/v1/runs/{run_id}/${verb}`, { params })),
    onError: sayProblem,
    onSettled: async () => queries.invalidateQueries(),
  });
  const cancel = (): void => {
    modals.openConfirmModal({
      title: 'Cancel this run?',
      children: (
        <Text size="sm">
          “{run.script_name}” ends at once. What it has done on the website stays done. A task is reported to
          AWS as cancelled.
        </Text>
      ),
      labels: { confirm: 'Cancel the run', cancel: 'Let it go on' },
      confirmProps: { color: 'red' },
      closeButtonProps: { 'aria-label': 'Close' },
      onConfirm: () => act.mutate('cancel'),
    });
  };
  const isTakenOver = run.pause?.kind === 'takeover';
  return (
    <>
      {run.state === 'running' && !isTakenOver && (
        <Button
          variant="default"
          size="sm"
          loading={act.isPending && act.variables !== 'cancel'}
          leftSection={
            run.paused ? <IconPlayerPlay size={16} aria-hidden /> : <IconPlayerPause size={16} aria-hidden />
          }
          onClick={() => act.mutate(run.paused ? 'resume' : 'pause')}
        >
          {run.paused ? 'Go on' : 'Pause'}
        </Button>
      )}
      <Button
        variant="default"
        size="sm"
        leftSection={<IconX size={16} aria-hidden />}
        loading={act.isPending && act.variables === 'cancel'}
        onClick={cancel}
      >
        Cancel
      </Button>
    </>
  );
}

export function EndedRunActions({ run }: { run: Detail }): ReactNode {
  const { s3_console_url: s3Url } = run;
  return (
    <>
      {run.again && <RunAgain runId={run.run_id} needs={run.again.needs_variables} />}
      {run.again && <CopyAsTest run={run} />}
      {s3Url !== null && (
        <Button
          variant="default"
          component="a"
          href={s3Url}
          target="_blank"
          rel="noreferrer"
          leftSection={<IconExternalLink size={16} aria-hidden />}
          onClick={(event) => {
            if (!bridge) return;
            event.preventDefault();
            openAddress(s3Url);
          }}
        >
          Open in S3
        </Button>
      )}
      {bridge && run.folder !== null && (
        <Button
          variant="default"
          leftSection={<IconFolder size={16} aria-hidden />}
          onClick={() => openFolder({ kind: 'run', runId: run.run_id })}
        >
          Open folder
        </Button>
      )}
    </>
  );
}

/** Secrets of the run were not kept: they are asked for. */
function RunAgain({ runId, needs }: { runId: string; needs: readonly string[] }): ReactNode {
  const { client } = useApi();
  const [isAsking, setIsAsking] = useState(false);
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const start = useMutation({
    mutationFn: () =>
      answerOf(
        client.POST('/api/v1/runs/{run_id}/again', {
          params: { path: { run_id: runId } },
          body: needs.length === 0 ? {} : { variables: secrets },
        }),
      ),
    onSuccess: ({ run_id }) => {
      setIsAsking(false);
      setSecrets({});
      navigate(`/runs/${run_id}`);
    },
    onError: (thrown) => {
      if (needs.length === 0) sayProblem(thrown);
    },
  });
  return (
    <>
      <Button
        leftSection={<IconRepeat size={16} aria-hidden />}
        loading={start.isPending}
        onClick={() => (needs.length > 0 ? setIsAsking(true) : start.mutate())}
      >
        Run again
      </Button>
      <FormDialog
        title="Run again"
        isOpen={isAsking}
        onClose={() => setIsAsking(false)}
        onSubmit={() => start.mutate()}
        submitLabel="Run again"
        isBusy={start.isPending}
        error={start.error}
      >
        <Text size="sm">Secrets are never kept with a run, so please give these once more.</Text>
        <Stack gap="xs">
          {needs.map((name) => (
            <PasswordInput
              key={name}
              label={name}
              value={secrets[name] ?? ''}
              onChange={(event) => setSecrets({ ...secrets, [name]: event.currentTarget.value })}
            />
          ))}
        </Stack>
      </FormDialog>
    </>
  );
}

function CopyAsTest({ run }: { run: Detail }): ReactNode {
  const { client } = useApi();
  const copy = useMutation({
    mutationFn: async () => {
      const params = { path: { run_id: run.run_id } };
      const text = `${JSON.stringify(await answerOf(client.GET('/api/v1/runs/{run_id}/test', { params })), null, 2)}\n`;
      try {
        await navigator.clipboard.writeText(text);
        return 'copied';
      } catch {
        // Where the clipboard is not to be had, a file does as well.
        await saveFile(`${run.script_name}-test.json`, new Blob([text], { type: 'application/json' }));
        return 'saved';
      }
    },
    onSuccess: (how) =>
      notifications.show({
        color: 'green',
        title: how === 'copied' ? 'Copied as a test' : 'Saved as a test',
        message: 'It is a script: with the same variables, it checks that each step brings what it brought.',
      }),
    onError: sayProblem,
  });
  return (
    <Button
      variant="default"
      leftSection={<IconClipboardText size={16} aria-hidden />}
      loading={copy.isPending}
      onClick={() => copy.mutate()}
    >
      Copy as test
    </Button>
  );
}
