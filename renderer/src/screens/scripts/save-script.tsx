/** Asks under which name a script is stored. */
import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useApi } from '../../api/api.ts';
import { complaintAboutName, complaintAboutVersion, referenceOf } from './reference.ts';

export function SaveScript({
  isOpen,
  suggested,
  onClose,
  onSave,
}: {
  isOpen: boolean;
  suggested: string;
  onClose: () => void;
  onSave: (reference: string) => void;
}): ReactNode {
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title="Save the script as"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Form suggested={suggested} onClose={onClose} onSave={onSave} />
    </Modal>
  );
}

function Form({
  suggested,
  onClose,
  onSave,
}: {
  suggested: string;
  onClose: () => void;
  onSave: (reference: string) => void;
}): ReactNode {
  const { query } = useApi();
  const known = query.useQuery('get', '/api/v1/scripts').data?.items ?? [];
  const [name, setName] = useState(suggested);
  const [version, setVersion] = useState('');
  const [isAsked, setIsAsked] = useState(false);
  const wrongName = complaintAboutName(name);
  const wrongVersion = complaintAboutVersion(version);
  const reference = referenceOf(name, version);
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setIsAsked(true);
        if (wrongName === null && wrongVersion === null) onSave(reference);
      }}
    >
      <Stack gap="sm">
        <TextInput
          data-autofocus
          label="Name"
          description="How tasks and other scripts name it."
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          error={isAsked ? wrongName : null}
          spellCheck={false}
        />
        <TextInput
          label="Version"
          description="Only when more than one is to be there at a time; otherwise leave it empty."
          value={version}
          onChange={({ currentTarget }) => setVersion(currentTarget.value)}
          error={isAsked ? wrongVersion : null}
          spellCheck={false}
        />
        {known.some((script) => script.reference === reference) && (
          <Text size="sm" role="status">
            There is a script “{reference}” already. Saving replaces its text.
          </Text>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit">Save</Button>
        </Group>
      </Stack>
    </form>
  );
}
