/** Step 5, optional: a profile keeps a person's sign-ins to web sites for runs. */
import { Button, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PrimaryButton } from './primary-button.tsx';
import { StepFrame } from './step-frame.tsx';

export function StepProfile({ onNext, onBack }: { onNext: () => void; onBack: () => void }): ReactNode {
  const { client, query } = useApi();
  const queries = useQueryClient();
  const { data } = query.useQuery('get', '/api/v1/profiles');
  const [name, setName] = useState('');
  const create = useMutation({
    mutationFn: async () => answerOf(client.POST('/api/v1/profiles', { body: { name: name.trim() } })),
    onSuccess: (profile) => {
      notifications.show({
        color: 'green',
        title: `Profile “${profile.name}” is there`,
        message: 'Sign in to web sites with it on the screen Profiles.',
      });
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/profiles'] });
      onNext();
    },
  });
  const names = data?.items.map(({ name }) => name) ?? [];
  const isNamed = name.trim() !== '';
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isNamed) create.mutate();
        else onNext();
      }}
    >
      <StepFrame
        title="First profile (optional)"
        description="A profile is a browser of its own that stays signed in to the sites it was used for. You sign in once, and runs with that profile go on from there. Runs that need no sign-in need no profile."
        actions={
          <>
            <PrimaryButton isSubmit loading={create.isPending}>
              {isNamed ? 'Create the profile' : names.length > 0 ? 'Continue' : 'Skip'}
            </PrimaryButton>
            <Button variant="subtle" onClick={onBack}>
              Back
            </Button>
          </>
        }
      >
        {names.length > 0 && (
          <Text size="sm" className="breakable">
            {names.length === 1 ? 'There is one already: ' : 'There are some already: '}
            {names.slice(0, 5).join(', ')}
            {names.length > 5 ? ' and more' : ''}.
          </Text>
        )}
        <TextInput
          label="Name of the profile"
          placeholder="e.g. supplier-portal"
          value={name}
          maxLength={64}
          onChange={(event) => {
            create.reset();
            setName(event.currentTarget.value);
          }}
          maw={320}
        />
        <ErrorNotice title="The profile was not made" error={create.error} />
      </StepFrame>
    </form>
  );
}
