/** Step 1: which environment, and how to sign in to AWS; or to try it without. */
import { Button, Group, Loader, PasswordInput, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useApi } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PrimaryButton } from './primary-button.tsx';
import type { Progress, SignIn } from './progress.ts';
import { StepFrame } from './step-frame.tsx';

/** A way to sign in that this machine has. */
interface Found {
  kind: SignIn['kind'] | 'stored';
  name: string | null;
  region: string | null;
  words: string;
  usable: boolean;
  fix: string;
}

const DEFAULT_ENVIRONMENT = 'dev';
const ENVIRONMENT = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export function StepStart({
  progress,
  environment: configured,
  onDone,
}: {
  progress: Progress;
  /** What the agent works for now. */
  environment: string | null;
  /** `code`: empty unless one was chosen. */
  onDone: (chosen: Pick<Progress, 'environment' | 'signIn' | 'region'>, code: string) => void;
}): ReactNode {
  const { query } = useApi();
  const [isProbing, setIsProbing] = useState(false);
  const { data, error, refetch, isFetching } = query.useQuery('get', '/api/v1/setup/sign-ins', {
    params: { query: isProbing ? { probe: 'instance' } : {} },
  });
  const [environment, setEnvironment] = useState(progress.environment ?? configured ?? DEFAULT_ENVIRONMENT);
  const [region, setRegion] = useState(progress.region ?? '');
  const [chosenId, setChosenId] = useState<string | null>(progress.signIn && idOf(progress.signIn));
  const [code, setCode] = useState('');
  const found = data?.items ?? [];
  // Before the sandbox, which is last.
  const all: Found[] = data ? [...found.slice(0, -1), SETUP_CODE, ...found.slice(-1)] : [];
  const offers = all.flatMap((found) => {
    const signIn = signInOf(found);
    return signIn ? [{ found, signIn, id: idOf(signIn) }] : [];
  });
  const chosen =
    offers.find(({ id, found }) => id === chosenId && found.usable) ??
    offers.find(({ found }) => found.usable && found.kind !== 'code');
  const isSandbox = chosen?.signIn.kind === 'sandbox';
  const isCode = chosen?.signIn.kind === 'code';
  const isByName = chosen !== undefined && !isSandbox && !isCode;
  const isWrong = isCode ? code.trim() === '' : isByName && !ENVIRONMENT.test(environment);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!chosen || isWrong) return;
        onDone(
          {
            environment: isByName ? environment : null,
            signIn: chosen.signIn,
            region: isByName && region.trim() !== '' ? region.trim() : null,
          },
          isCode ? code.trim() : '',
        );
      }}
    >
      <StepFrame
        title="How does the agent reach AWS?"
        description="It takes its tasks from AWS and leaves its evidence there. It signs in with what this machine has already; you can also try it without AWS first."
        actions={
          <PrimaryButton isSubmit disabled={!chosen || isWrong}>
            Continue
          </PrimaryButton>
        }
      >
        {error !== null && (
          <ErrorNotice
            title="The ways to sign in cannot be listed"
            error={error}
            onRetry={() => void refetch()}
          />
        )}
        {data === undefined && error === null && (
          <Loader role="status" aria-label="Looking for ways to sign in" />
        )}
        {data?.problems.map((problem) => (
          <Text key={problem} size="sm" className="breakable">
            {problem}
          </Text>
        ))}
        {offers.length > 0 && (
          <Radio.Group label="Sign in with" value={chosen?.id ?? null} onChange={setChosenId}>
            <Stack gap="xs" mt="xs">
              {offers.map(({ id, found }) => (
                <Offer key={id} id={id} found={found} />
              ))}
            </Stack>
          </Radio.Group>
        )}
        {data && !isProbing && (
          <Group>
            <Button variant="subtle" size="compact-sm" onClick={() => setIsProbing(true)}>
              Look for a role of this machine
            </Button>
          </Group>
        )}
        {isProbing && isFetching && (
          <Text size="sm" c="dimmed" role="status">
            Asking this machine for its role…
          </Text>
        )}
        {isCode && (
          <PasswordInput
            label="Setup code"
            description="Whoever set up AWS made it for this machine. It is good once."
            autoComplete="off"
            value={code}
            maxLength={2_000}
            onChange={(event) => setCode(event.currentTarget.value)}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the code' }}
            maw={480}
          />
        )}
        {isByName && (
          <>
            <TextInput
              label="Environment"
              description="The name that whoever set up AWS gave it, e.g. dev or prod."
              value={environment}
              maxLength={63}
              onChange={(event) => setEnvironment(event.currentTarget.value.trim())}
              error={isWrong ? 'Letters, digits, - and _; it begins with a letter or a digit.' : null}
              maw={320}
            />
            <TextInput
              label="AWS region (optional)"
              description="Only when the profile names none, e.g. eu-central-1."
              placeholder={chosen.found.region ?? ''}
              value={region}
              onChange={(event) => setRegion(event.currentTarget.value)}
              maw={320}
            />
          </>
        )}
      </StepFrame>
    </form>
  );
}

const SETUP_CODE: Found = {
  kind: 'code',
  name: null,
  region: null,
  words: 'A code that whoever set up AWS made for this machine. It brings keys of its own.',
  usable: true,
  fix: '',
};

const TITLES: Record<SignIn['kind'], string> = {
  profile: 'AWS profile',
  environment: 'Environment variables',
  instance: 'Role of this machine',
  code: 'Setup code',
  sandbox: 'Try it without AWS',
};

function Offer({ id, found }: { id: string; found: Found }): ReactNode {
  const kind = found.kind === 'stored' ? 'environment' : found.kind;
  const isSandbox = kind === 'sandbox';
  const words = isSandbox
    ? 'The agent works on a stand-in inside this program. Nothing leaves this machine. You can connect it to AWS at any time.'
    : found.words;
  return (
    <Radio.Card
      value={id}
      p="sm"
      disabled={!found.usable}
      aria-label={`${TITLES[kind]} ${found.name ?? ''}`.trim()}
    >
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Radio.Indicator mt={2} disabled={!found.usable} />
        <div>
          <Text size="sm" fw={500} className="breakable">
            {TITLES[kind]}
            {found.name !== null && ` “${found.name}”`}
          </Text>
          <Text size="sm" c="dimmed">
            {words}
            {found.region !== null && ` Region ${found.region}.`}
          </Text>
          {found.fix !== '' && (
            <Text size="xs" c="dimmed" className="breakable">
              {found.fix}
            </Text>
          )}
        </div>
      </Group>
    </Radio.Card>
  );
}

/** Null: what is stored works, but fetches nothing. */
function signInOf({ kind, name }: Found): SignIn | null {
  if (kind === 'profile') return name === null ? null : { kind, profile: name };
  return kind === 'stored' ? null : { kind };
}

function idOf(signIn: SignIn): string {
  return signIn.kind === 'profile' ? `profile ${signIn.profile}` : signIn.kind;
}
