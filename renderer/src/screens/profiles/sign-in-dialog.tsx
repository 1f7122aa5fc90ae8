import { Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { FormDialog } from '../../ui/form-dialog.tsx';
import type { Profile } from './profile-words.ts';
import { useProfileChange } from './use-profile.ts';

/** Opens the real browser on a profile. */
export function SignInDialog({ profile, onClose }: { profile: Profile; onClose: () => void }): ReactNode {
  const [url, setUrl] = useState(profile.sign_in?.url ?? profile.check?.url ?? '');
  const open = useProfileChange(
    async (client) =>
      answerOf(
        client.POST('/api/v1/profiles/{name}/sign-in', {
          params: { path: { name: profile.name } },
          body: url.trim() === '' ? {} : { url: withScheme(url.trim()) },
        }),
      ),
    onClose,
  );
  return (
    <FormDialog
      title={`Sign in with “${profile.name}”`}
      isOpen
      onClose={onClose}
      onSubmit={() => open.mutate()}
      submitLabel="Open the browser"
      isBusy={open.isPending}
      error={open.error}
      errorTitle="The browser did not open"
    >
      <Text size="sm">
        A browser window opens with this profile. Sign in there as you always do, and press Done here when you
        are in. There is no hurry: runs that need the profile wait so long.
      </Text>
      <TextInput
        data-autofocus
        label="Page to open first"
        description="You can also go anywhere in the window yourself."
        placeholder="https://portal.example.com"
        inputMode="url"
        value={url}
        onChange={({ currentTarget }) => setUrl(currentTarget.value)}
        spellCheck={false}
      />
    </FormDialog>
  );
}

/** People leave it out. */
export function withScheme(url: string): string {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(url) ? url : `https://${url}`;
}
