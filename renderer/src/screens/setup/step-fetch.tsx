/** Step 2: one button; what was found, and where. */
import { Button, Stack, Table, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi } from '../../api/api.ts';
import { CheckList } from '../../ui/check-list.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { useRestart } from '../../ui/use-restart.ts';
import { PrimaryButton } from './primary-button.tsx';
import type { Progress } from './progress.ts';
import { StepFrame } from './step-frame.tsx';
import { useLiveResults } from './use-setup-events.ts';

export function StepFetch({
  progress: { signIn, environment, region, done },
  code,
  isOnSandbox,
  onDone,
  onNext,
  onBack,
}: {
  progress: Progress;
  /** The setup code, where it is that; it is lost when the page is left. */
  code: string;
  /** The agent works, or will work, on the sandbox now. */
  isOnSandbox: boolean;
  /** It went well. */
  onDone: () => void;
  onNext: () => void;
  onBack: () => void;
}): ReactNode {
  const { client } = useApi();
  const { live, clear } = useLiveResults('setup.step');
  const restart = useRestart();
  const isSandbox = signIn?.kind === 'sandbox';
  const fetching = useMutation({
    mutationFn: async () => {
      clear();
      restart.reset();
      const result = await answerOf(
        client.POST('/api/v1/setup/fetch', {
          body: {
            sign_in: signIn?.kind === 'code' ? { kind: 'code', code } : (signIn ?? { kind: 'sandbox' }),
            ...(environment === null ? {} : { environment }),
            ...(region === null ? {} : { region }),
          },
        }),
      );
      if (!result.ok) return result;
      if (!isSandbox && isOnSandbox) {
        await answerOf(client.PATCH('/api/v1/settings', { body: { 'sandbox.enabled': null } }));
      }
      // The sandbox is inside the agent: what follows needs it, or needs it to be gone.
      if (isSandbox ? result.restart_needed : isOnSandbox) await restart.mutateAsync();
      onDone();
      return result;
    },
  });
  const isCodeLost = signIn?.kind === 'code' && code === '' && !done.includes('fetch');
  if (signIn === null || isCodeLost) {
    return (
      <StepFrame
        title="Fetch the AWS configuration"
        description={
          isCodeLost
            ? 'The setup code is not kept when the page is left. Give it again.'
            : 'First choose how the agent signs in to AWS.'
        }
        actions={<PrimaryButton onClick={onBack}>Choose how to sign in</PrimaryButton>}
      />
    );
  }
  const { data } = fetching;
  const isDone = data?.ok === true || (done.includes('fetch') && !fetching.isPending && !data);
  const verb = isSandbox ? 'Start the sandbox' : 'Fetch AWS configuration';
  return (
    <StepFrame
      title={isSandbox ? 'Start the sandbox' : 'Fetch the AWS configuration'}
      description={
        isSandbox
          ? 'A stand-in for AWS starts inside the agent, with a queue of tasks and a place for evidence. What is in it is gone when the agent stops; the history on this machine stays.'
          : `The agent signs in and reads where its tasks come from and where its evidence goes${environment === null ? '' : `, for the environment “${environment}”`}. Keys are never shown.`
      }
      actions={
        <>
          {isDone ? (
            <PrimaryButton onClick={onNext}>Continue</PrimaryButton>
          ) : (
            <PrimaryButton loading={fetching.isPending} onClick={() => fetching.mutate()}>
              {data ? `${verb} again` : verb}
            </PrimaryButton>
          )}
          {isDone && signIn.kind !== 'code' && (
            <Button variant="default" onClick={() => fetching.mutate()}>
              {isSandbox ? 'Start it again' : 'Fetch again'}
            </Button>
          )}
          <Button variant="subtle" onClick={onBack} disabled={fetching.isPending}>
            Back
          </Button>
        </>
      }
    >
      {done.includes('fetch') && !data && !fetching.isPending && (
        <Text size="sm">This was done before. Continue, or do it again.</Text>
      )}
      <CheckList
        label="What was done"
        checks={data?.steps ?? (fetching.isPending ? live : [])}
        waitingFor={waitingWords(fetching.isPending, restart.isPending, isSandbox)}
      />
      <ErrorNotice
        title={
          restart.error ? 'It is stored, but the agent has not started again' : 'It could not be fetched'
        }
        error={fetching.error}
      />
      {data && data.values.length > 0 && (
        <Stack gap={4}>
          <Table.ScrollContainer
            minWidth={420}
            type="native"
            tabIndex={0}
            role="region"
            aria-label="What was found, scrolls"
          >
            <Table aria-label="What was found" verticalSpacing={6} withTableBorder>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>What</Table.Th>
                  <Table.Th>Value</Table.Th>
                  <Table.Th>Found in</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {data.values.map(({ key, value, source }) => (
                  <Table.Tr key={key}>
                    <Table.Td>{VALUE_NAMES[key] ?? key}</Table.Td>
                    <Table.Td className="breakable">{value}</Table.Td>
                    <Table.Td className="breakable">{source}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Stack>
      )}
    </StepFrame>
  );
}

const VALUE_NAMES: Record<string, string> = {
  'aws.activity_arn': 'Where tasks come from',
  'aws.s3_bucket': 'Where evidence goes',
  'aws.region': 'Region',
};

function waitingWords(isFetching: boolean, isRestarting: boolean, isSandbox: boolean): string | null {
  if (isRestarting)
    return 'The agent starts again with it. This takes some seconds; the page goes on by itself.';
  if (!isFetching) return null;
  return isSandbox ? 'Preparing the sandbox…' : 'Asking AWS…';
}
