import { FileInput, PasswordInput, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconFileUpload } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { leftOutMessage } from '../../../../agent/browser/left-out.ts';
import { ApiProblem } from '../../../../agent/client/problem.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { FormDialog } from '../../ui/form-dialog.tsx';
import { complaintAboutPassphrase, passphraseHeader } from './passphrase.ts';
import { useProfileChange } from './use-profile.ts';

const ENDING = '.lbaprofile';

/** Imports a profile from an encrypted file. */
export function ImportDialog({ onClose }: { onClose: () => void }): ReactNode {
  const { url, token } = useApi();
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState('');
  const [passphrase, setPassphrase] = useState('');
  const [isAsked, setIsAsked] = useState(false);
  const wrong = complaintAboutPassphrase(passphrase);
  const read = useProfileChange(
    async () => {
      // The generated client cannot send a file as the body.
      const response = await fetch(
        `${url}/api/v1/profiles/import?${new URLSearchParams({ name: name.trim() }).toString()}`,
        {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/octet-stream',
            'lba-passphrase': passphraseHeader(passphrase),
          },
          body: file,
        },
      );
      const answer: unknown = await response.json().catch(() => undefined);
      if (!response.ok) throw new ApiProblem(response.status, answer);
      return answer as Shapes['ImportedProfile'];
    },
    (imported) => {
      notifications.show({
        message: [`“${imported.name}” is imported.`, leftOutMessage(imported.left_out)]
          .filter(Boolean)
          .join(' '),
      });
      onClose();
    },
  );
  return (
    <FormDialog
      title="Profile from a file"
      isOpen
      onClose={onClose}
      onSubmit={() => {
        setIsAsked(true);
        if (file !== null && name.trim() !== '' && wrong === null) read.mutate();
      }}
      submitLabel="Read it in"
      isBusy={read.isPending}
      error={read.error}
      errorTitle="There is no new profile"
    >
      <Text size="sm">
        Creates a profile from a file that was saved here or on another machine. It brings cookies, the data
        of sites and a few preferences; everything else in the file is left out. Import only files from people
        you trust: runs then work with the sign-ins of that file.
      </Text>
      <FileInput
        label="File"
        placeholder={`Choose a ${ENDING} file`}
        leftSection={<IconFileUpload size={16} aria-hidden />}
        accept={ENDING}
        value={file}
        onChange={(chosen) => {
          setFile(chosen);
          if (chosen && name === '') setName(chosen.name.replace(ENDING, ''));
        }}
        error={isAsked && file === null ? 'Which file is it?' : null}
      />
      <TextInput
        label="Name of the new profile"
        value={name}
        maxLength={64}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        error={isAsked && name.trim() === '' ? 'A profile needs a name.' : null}
        spellCheck={false}
      />
      <PasswordInput
        label="Passphrase"
        description="The one that it was saved with."
        autoComplete="off"
        value={passphrase}
        onChange={({ currentTarget }) => setPassphrase(currentTarget.value)}
        error={isAsked ? wrong : null}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the passphrase' }}
      />
    </FormDialog>
  );
}
