/** From nothing to an agent that takes tasks, in six steps; each is remembered, and one can come back to each. */
import { Box, Loader, Stepper, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { useHashQuery } from '../../location.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { useRestart } from '../../ui/use-restart.ts';
import { isStep, readProgress, STEPS, useProgress, type StepId } from './progress.ts';
import { StepBrowser } from './step-browser.tsx';
import { StepChecks } from './step-checks.tsx';
import { StepFetch } from './step-fetch.tsx';
import { StepProfile } from './step-profile.tsx';
import { StepStart } from './step-start.tsx';
import { StepTest } from './step-test.tsx';

const LABELS: Record<StepId, string> = {
  start: 'Sign in',
  fetch: 'Fetch',
  checks: 'Checks',
  browser: 'Browser',
  profile: 'Profile',
  test: 'Test run',
};

/** Narrower, the steps have only their numbers; a line below says which one it is. */
const WIDE = '(min-width: 56em)';

export default function Setup(): ReactNode {
  const { query } = useApi();
  const { data, error, refetch } = query.useQuery('get', '/api/v1/setup');
  return (
    <>
      <PageHeader
        title="Setup"
        description="A minute when everything is there. Leave whenever you like: it goes on where you were."
      />
      {data === undefined && error === null && <Loader role="status" aria-label="Loading" />}
      {data === undefined && error !== null && (
        <ErrorNotice title="The setup cannot be opened" error={error} onRetry={() => void refetch()} />
      )}
      {data && <Wizard setup={data} />}
    </>
  );
}

function Wizard({ setup }: { setup: Shapes['Setup'] }): ReactNode {
  const { client } = useApi();
  const [, navigate] = useLocation();
  const [address, changeAddress] = useHashQuery();
  const [kept] = useState(() => {
    const kept = readProgress(setup.progress);
    const asked = address.get('step');
    return isStep(asked) ? { ...kept, step: asked, done: [] } : kept;
  });
  // A secret: held by this page alone.
  const [code, setCode] = useState('');
  const { progress, change, forget, error } = useProgress(kept);
  const isWide = useMediaQuery(WIDE, true, { getInitialValueInEffect: false });
  const restart = useRestart();
  const { step, done, signIn } = progress;
  const isSandbox = signIn === null ? setup.mode === 'sandbox' : signIn.kind === 'sandbox';

  const asked = address.get('step');
  useEffect(() => {
    // Taken up once: from here on it goes where the person goes.
    if (asked !== null) changeAddress({ step: null });
  }, [asked, changeAddress]);

  const go = (to: StepId): void => change({ step: to });
  const finished = (which: StepId): readonly StepId[] => [...done.filter((each) => each !== which), which];
  const next = (): void => {
    const following = STEPS[STEPS.indexOf(step) + 1];
    if (following) change({ step: following, done: finished(step) });
  };
  const back = (): void => {
    const before = STEPS[STEPS.indexOf(step) - 1];
    if (before) go(before);
  };
  const finish = useMutation({
    mutationFn: async () => {
      await forget();
      const { items } = await answerOf(client.GET('/api/v1/settings'));
      // What was fetched counts from the next start.
      if (items.some(({ pending_restart }) => pending_restart)) await restart.mutateAsync();
      const now = await answerOf(client.GET('/api/v1/agent'));
      notifications.show({
        color: 'green',
        title: 'Setup is complete',
        message:
          now.activity_arn === null
            ? 'The agent runs scripts of this machine. It takes no tasks from AWS yet.'
            : 'The agent takes tasks from now on, also with the window closed.',
      });
      navigate('/');
    },
  });

  return (
    <Box>
      <Stepper
        active={STEPS.indexOf(step)}
        onStepClick={(index) => go(STEPS[index] ?? 'start')}
        size="xs"
        wrap={false}
        iconSize={isWide ? 34 : 28}
        mb={isWide ? 'lg' : 'xs'}
        component="nav"
        aria-label="Steps of the setup"
      >
        {STEPS.map((id, index) => (
          <Stepper.Step
            key={id}
            label={isWide ? LABELS[id] : undefined}
            aria-label={isWide ? undefined : `${index + 1} ${LABELS[id]}`}
            aria-current={id === step ? 'step' : undefined}
            allowStepSelect={index <= STEPS.indexOf(step) || done.includes(id) || setup.configured}
          />
        ))}
      </Stepper>
      {!isWide && (
        <Text size="sm" c="dimmed" mb="md">
          Step {STEPS.indexOf(step) + 1} of {STEPS.length}: {LABELS[step]}
        </Text>
      )}
      {error !== null && <ErrorNotice title="Where you are could not be kept" error={error} />}
      {step === 'start' && (
        <StepStart
          progress={progress}
          environment={setup.mode === 'aws' ? setup.environment : null}
          onDone={(chosen, given) => {
            setCode(given);
            change({ ...chosen, step: 'fetch', done: ['start'], testRunId: null });
          }}
        />
      )}
      {step === 'fetch' && (
        <StepFetch
          progress={progress}
          code={code}
          isOnSandbox={setup.mode === 'sandbox' || setup.next.mode === 'sandbox'}
          onDone={() => change({ done: finished('fetch') })}
          onNext={next}
          onBack={back}
        />
      )}
      {step === 'checks' && (
        <StepChecks onDone={() => change({ done: finished('checks') })} onNext={next} onBack={back} />
      )}
      {step === 'browser' && <StepBrowser onNext={next} onBack={back} />}
      {step === 'profile' && <StepProfile onNext={next} onBack={back} />}
      {step === 'test' && (
        <StepTest
          runId={progress.testRunId}
          isSandbox={isSandbox}
          onStarted={(testRunId) => change({ testRunId })}
          finish={() => finish.mutate()}
          isFinishing={finish.isPending}
          onBack={back}
        />
      )}
      <Box mt="md">
        <ErrorNotice title="The setup could not be finished" error={finish.error} />
      </Box>
    </Box>
  );
}
