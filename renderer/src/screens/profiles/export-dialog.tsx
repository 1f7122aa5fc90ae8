import { PasswordInput, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { FormDialog } from '../../ui/form-dialog.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { complaintAboutPassphrase } from './passphrase.ts';
import type { Profile } from './profile-words.ts';
import { useProfileChange } from './use-profile.ts';

/** A profile as an encrypted file. */
export function ExportDialog({ profile, onClose }: { profile: Profile; onClose: () => void }): ReactNode {
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [isAsked, setIsAsked] = useState(false);
  const wrong = complaintAboutPassphrase(passphrase);
  const wrongAgain = again === passphrase ? null : 'The two are not the same.';
  const save = useProfileChange(
    async (client) => {
      const blob = (await answerOf(
        client.POST('/api/v1/profiles/{name}/export', {
          params: { path: { name: profile.name } },
          body: { passphrase },
          parseAs: 'blob',
        }),
      )) as Blob;
      return saveFile(`${profile.name.replace(/[^\w.-]/g, '_')}.lbaprofile`, blob);
    },
    (isSaved) => {
      if (isSaved) notifications.show({ message: `“${profile.name}” is saved as a file.` });
      onClose();
    },
  );
  return (
    <FormDialog
      title={`Save “${profile.name}” as a file`}
      isOpen
      onClose={onClose}
      onSubmit={() => {
        setIsAsked(true);
        if (wrong === null && wrongAgain === null) save.mutate();
      }}
      submitLabel="Save the file"
      isBusy={save.isPending}
      error={save.error}
      errorTitle="The profile is not saved"
    >
      <Text size="sm">
        Whoever has the file and the passphrase is signed in like you. Send them by different ways, and delete
        the file when it has been read in elsewhere.
      </Text>
      <PasswordInput
        data-autofocus
        label="Passphrase"
        description="At least 8 characters. Nobody can open the file without it, and it is kept nowhere."
        autoComplete="new-password"
        value={passphrase}
        onChange={({ currentTarget }) => setPassphrase(currentTarget.value)}
        error={isAsked ? wrong : null}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the passphrase' }}
      />
      <PasswordInput
        label="Passphrase once more"
        autoComplete="new-password"
        value={again}
        onChange={({ currentTarget }) => setAgain(currentTarget.value)}
        error={isAsked ? wrongAgain : null}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the passphrase that was repeated' }}
      />
    </FormDialog>
  );
}
