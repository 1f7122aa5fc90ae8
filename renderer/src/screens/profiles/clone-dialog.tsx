import { Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { FormDialog } from '../../ui/form-dialog.tsx';
import type { Profile } from './profile-words.ts';
import { useProfileChange } from './use-profile.ts';

export function CloneDialog({ profile, onClose }: { profile: Profile; onClose: () => void }): ReactNode {
  const [name, setName] = useState(`${profile.name} copy`);
  const clone = useProfileChange(
    async (client) =>
      answerOf(
        client.POST('/api/v1/profiles/{name}/clone', {
          params: { path: { name: profile.name } },
          body: { name: name.trim() },
        }),
      ),
    onClose,
  );
  return (
    <FormDialog
      title={`Copy “${profile.name}”`}
      isOpen
      onClose={onClose}
      onSubmit={() => clone.mutate()}
      submitLabel="Make the copy"
      isBusy={clone.isPending}
      error={clone.error}
      errorTitle="There is no copy"
    >
      <Text size="sm">
        The copy is signed in where this profile is. Runs can then use both at a time, if the portal allows
        it.
      </Text>
      <TextInput
        data-autofocus
        label="Name of the copy"
        value={name}
        maxLength={64}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        spellCheck={false}
      />
    </FormDialog>
  );
}
