/** How far a person is in the setup; the agent keeps it, so that leaving half-way loses nothing. */
import { useCallback, useState } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi } from '../../api/api.ts';

export const STEPS = ['start', 'fetch', 'checks', 'browser', 'profile', 'test'] as const;
export type StepId = (typeof STEPS)[number];

export type SignIn =
  | { kind: 'profile'; profile: string }
  | { kind: 'environment' }
  | { kind: 'instance' }
  /** The code itself is a secret: it is never kept. */
  | { kind: 'code' }
  | { kind: 'sandbox' };

export interface Progress {
  step: StepId;
  /** Steps that went well. */
  done: readonly StepId[];
  environment: string | null;
  signIn: SignIn | null;
  region: string | null;
  testRunId: string | null;
}

const NOTHING: Progress = {
  step: 'start',
  done: [],
  environment: null,
  signIn: null,
  region: null,
  testRunId: null,
};

/** What was kept; whatever cannot be read counts as not done. */
export function readProgress(kept: Readonly<Record<string, unknown>>): Progress {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    step: isStep(kept['step']) ? kept['step'] : 'start',
    done: Array.isArray(kept['done']) ? kept['done'].filter(isStep) : [],
    environment: text(kept['environment']),
    signIn: readSignIn(kept['sign_in']),
    region: text(kept['region']),
    testRunId: text(kept['test_run_id']),
  };
}

export function isStep(value: unknown): value is StepId {
  return STEPS.some((step) => step === value);
}

const WITHOUT_MORE: readonly SignIn[] = [
  { kind: 'environment' },
  { kind: 'instance' },
  { kind: 'code' },
  { kind: 'sandbox' },
];

function readSignIn(value: unknown): SignIn | null {
  const { kind, profile } = (value ?? {}) as { kind?: unknown; profile?: unknown };
  if (kind === 'profile' && typeof profile === 'string') return { kind, profile };
  return WITHOUT_MORE.find((each) => each.kind === kind) ?? null;
}

/** As it was kept, with changes from here on; what could not be kept is in `error`. */
export function useProgress(kept: Progress): {
  progress: Progress;
  change: (part: Partial<Progress>) => void;
  forget: () => Promise<void>;
  error: unknown;
} {
  const { client } = useApi();
  const [progress, setProgress] = useState(kept);
  const [error, setError] = useState<unknown>(null);
  const keep = useCallback(
    async (next: Progress) => {
      try {
        await answerOf(client.PUT('/api/v1/setup/progress', { body: { progress: asKept(next) } }));
        setError(null);
      } catch (thrown) {
        setError(thrown);
      }
    },
    [client],
  );
  const change = useCallback(
    (part: Partial<Progress>) => {
      const next = { ...progress, ...part };
      setProgress(next);
      void keep(next);
    },
    [progress, keep],
  );
  const forget = useCallback(async () => keep(NOTHING), [keep]);
  return { progress, change, forget, error };
}

function asKept({ step, done, environment, signIn, region, testRunId }: Progress): Record<string, unknown> {
  return { step, done: [...done], environment, sign_in: signIn, region, test_run_id: testRunId };
}
