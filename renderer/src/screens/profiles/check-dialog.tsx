import { SegmentedControl, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { FormDialog } from '../../ui/form-dialog.tsx';
import type { Profile } from './profile-words.ts';
import { withScheme } from './sign-in-dialog.tsx';
import { useProfileChange } from './use-profile.ts';

/** How it is looked whether a profile is signed in; looks at once. */
export function CheckDialog({ profile, onClose }: { profile: Profile; onClose: () => void }): ReactNode {
  const { check } = profile;
  const [url, setUrl] = useState(check?.url ?? profile.sign_in?.url ?? '');
  const [by, setBy] = useState<'text' | 'selector'>(check?.selector === undefined ? 'text' : 'selector');
  const [sign, setSign] = useState(check?.selector ?? check?.text ?? '');
  const [isAsked, setIsAsked] = useState(false);
  const look = useProfileChange(
    async (client) =>
      answerOf(
        client.POST('/api/v1/profiles/{name}/check', {
          params: { path: { name: profile.name } },
          body: { url: withScheme(url.trim()), [by]: sign.trim() },
        }),
      ),
    onClose,
  );
  return (
    <FormDialog
      title={`Check the sign-in of “${profile.name}”`}
      isOpen
      onClose={onClose}
      onSubmit={() => {
        setIsAsked(true);
        if (url.trim() !== '' && sign.trim() !== '') look.mutate();
      }}
      submitLabel="Check now"
      isBusy={look.isPending}
      error={look.error}
      errorTitle="It could not be checked"
    >
      <Text size="sm">
        The agent opens a page in a browser that nobody sees and looks for something that only who is signed
        in gets to see. It remembers this for the next time.
      </Text>
      <TextInput
        data-autofocus
        label="Page"
        placeholder="https://portal.example.com/account"
        inputMode="url"
        value={url}
        onChange={({ currentTarget }) => setUrl(currentTarget.value)}
        error={isAsked && url.trim() === '' ? 'Which page is to be looked at?' : null}
        spellCheck={false}
      />
      <SegmentedControl
        aria-label="What to look for"
        value={by}
        onChange={setBy}
        data={[
          { value: 'text', label: 'Words on the page' },
          { value: 'selector', label: 'An element (CSS selector)' },
        ]}
      />
      <TextInput
        label={by === 'text' ? 'Words' : 'Selector'}
        placeholder={by === 'text' ? 'Sign out' : '#account-menu'}
        value={sign}
        onChange={({ currentTarget }) => setSign(currentTarget.value)}
        error={isAsked && sign.trim() === '' ? 'What shows that you are signed in?' : null}
        spellCheck={false}
      />
    </FormDialog>
  );
}
