/** Step 3: whether everything that a task needs works, one by one, each with its fix. */
import { Button, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi } from '../../api/api.ts';
import { CheckList, type CheckResult } from '../../ui/check-list.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PrimaryButton } from './primary-button.tsx';
import { StepFrame } from './step-frame.tsx';
import { useLiveResults } from './use-setup-events.ts';

/** The browser has a step of its own. */
const GROUPS = ['machine', 'aws'] as const;

export function StepChecks({
  onDone,
  onNext,
  onBack,
}: {
  onDone: () => void;
  onNext: () => void;
  onBack: () => void;
}): ReactNode {
  const { client } = useApi();
  const { live, clear } = useLiveResults('setup.check');
  const { mutate, data, error, isPending } = useMutation({
    mutationFn: async () => {
      clear();
      return answerOf(client.POST('/api/v1/setup/checks', { body: { groups: [...GROUPS] } }));
    },
    onSuccess: ({ ok }) => {
      if (ok) onDone();
    },
  });
  const isBegun = useRef(false);
  useEffect(() => {
    if (isBegun.current) return;
    isBegun.current = true;
    mutate();
  }, [mutate]);
  const isWell = data?.ok === true;
  return (
    <StepFrame
      title="Checks"
      description="Each thing that a task needs is tried once, without taking a task away from anybody."
      actions={
        <>
          {isWell ? (
            <PrimaryButton onClick={onNext}>Continue</PrimaryButton>
          ) : (
            <PrimaryButton loading={isPending} onClick={() => mutate()}>
              Check again
            </PrimaryButton>
          )}
          {isWell && (
            <Button variant="default" onClick={() => mutate()}>
              Check again
            </Button>
          )}
          {data && !isWell && (
            <Button variant="default" onClick={onNext}>
              Continue all the same
            </Button>
          )}
          <Button variant="subtle" onClick={onBack}>
            Back
          </Button>
        </>
      }
    >
      <CheckList
        label="Checks"
        checks={(data?.checks ?? live).map(inPlainWords)}
        waitingFor={isPending ? 'Checking…' : null}
      />
      <ErrorNotice title="The checks could not be made" error={error} />
      {data && !isWell && (
        <Text size="sm">
          Mend what failed, then check again. You can also go on and come back later: nothing is lost.
        </Text>
      )}
    </StepFrame>
  );
}

/** What each permission is for; its name stays beside it, for whoever can grant it. */
const PERMISSIONS: Record<string, string> = {
  'states:GetActivityTask': 'Take tasks',
  'states:SendTaskHeartbeat': 'Say that a task goes on',
  'states:SendTaskSuccess': 'Report a task that went well',
  'states:SendTaskFailure': 'Report a task that failed',
  's3:PutObject': 'Upload evidence',
  's3:AbortMultipartUpload': 'Give up large uploads cleanly',
  'secretsmanager:GetSecretValue': 'Read the secret of the environment',
  'ssm:GetParametersByPath': 'Read the parameters of the environment',
};

const NAMES: Record<string, string> = {
  Machine: 'This computer',
  'Data directory': 'Space for data',
  'AWS identity': 'Signed in to AWS',
  Activity: 'Where tasks come from',
  'Read back': 'What was uploaded is what is there',
};

function inPlainWords(check: CheckResult): CheckResult {
  const { title, detail } = check;
  const permission = PERMISSIONS[title];
  if (permission === undefined) return { ...check, title: NAMES[title] ?? title };
  return { ...check, title: permission, detail: `${detail} (${title})` };
}
