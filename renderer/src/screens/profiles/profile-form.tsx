/** Name, description and tags: of a new profile, or of one that is there. */
import { TagsInput, Text, Textarea, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { FormDialog } from '../../ui/form-dialog.tsx';
import type { Profile } from './profile-words.ts';
import { useProfileChange } from './use-profile.ts';

export function ProfileForm({
  profile,
  knownTags,
  onClose,
}: {
  /** Null for a new one. */
  profile: Profile | null;
  knownTags: readonly string[];
  onClose: () => void;
}): ReactNode {
  const [name, setName] = useState(profile?.name ?? '');
  const [description, setDescription] = useState(profile?.description ?? '');
  const [tags, setTags] = useState<string[]>(profile?.tags ?? []);
  const [isAsked, setIsAsked] = useState(false);
  const save = useProfileChange(async (client) => {
    const body = { name: name.trim(), description: description.trim(), tags };
    return profile === null
      ? answerOf(client.POST('/api/v1/profiles', { body }))
      : answerOf(client.PATCH('/api/v1/profiles/{name}', { params: { path: { name: profile.name } }, body }));
  }, onClose);
  const isRenamed = profile !== null && name.trim() !== profile.name;
  return (
    <FormDialog
      title={profile === null ? 'New profile' : `Change “${profile.name}”`}
      isOpen
      onClose={onClose}
      onSubmit={() => {
        setIsAsked(true);
        if (name.trim() !== '') save.mutate();
      }}
      submitLabel={profile === null ? 'Create the profile' : 'Save'}
      isBusy={save.isPending}
      error={save.error}
      errorTitle={profile === null ? 'The profile is not created' : 'Nothing is changed'}
    >
      <TextInput
        data-autofocus
        label="Name"
        description="For example the portal and the account: scripts name it."
        value={name}
        maxLength={64}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        error={isAsked && name.trim() === '' ? 'A profile needs a name.' : null}
        spellCheck={false}
      />
      {isRenamed && profile.used_by_scripts.length > 0 && (
        <Text size="sm" role="status">
          Scripts that name it do not change with it: {profile.used_by_scripts.join(', ')}.
        </Text>
      )}
      <Textarea
        label="Description"
        value={description}
        maxLength={1_000}
        autosize
        minRows={2}
        maxRows={6}
        onChange={({ currentTarget }) => setDescription(currentTarget.value)}
      />
      <TagsInput
        label="Tags"
        description="Scripts can ask for any profile with certain tags. Press Enter after each."
        value={tags}
        onChange={setTags}
        data={[...knownTags]}
        maxTags={32}
        clearable
        clearButtonProps={{ 'aria-label': 'Remove all tags' }}
      />
    </FormDialog>
  );
}
