/** How a new script begins: short, or as a copy of a sample. */
import { Badge, Group, Loader, Modal, Stack, Text, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { navigate } from 'wouter/use-hash-location';
import { useApi } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { NEW_DRAFT, readDraft, writeDraft } from './drafts.ts';
import classes from './new-script.module.css';

export const SHORT_SCRIPT = `{
  "name": "My script",
  "description": "",
  "steps": [
    { "action": "navigate", "name": "Open the page", "url": "https://example.com" },
    {
      "action": "extract_dom",
      "name": "Read the heading",
      "extractions": [{ "name": "heading", "strategy": "css", "selector": "h1" }]
    },
    { "action": "screenshot", "name": "Show it" }
  ]
}
`;

export function NewScript({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }): ReactNode {
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title="New script"
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Choices />
    </Modal>
  );
}

function Choices(): ReactNode {
  const { query } = useApi();
  const { data, error, isPending } = query.useQuery('get', '/api/v1/script-samples');
  return (
    <Stack gap="xs">
      {readDraft(NEW_DRAFT) !== null && (
        <Text size="sm" c="dimmed">
          The new script that you have not saved yet is replaced by what you choose.
        </Text>
      )}
      <Choice
        name="Short script"
        description="Opens a page, reads its heading and takes a picture: three steps to change to your own."
        onChoose={() => begin(SHORT_SCRIPT)}
      />
      <Text size="sm" fw={600} mt="xs">
        Samples
      </Text>
      <Text size="sm" c="dimmed">
        They show what scripts can do, on the demo portal that comes with the program.
      </Text>
      {isPending && <Loader size="sm" />}
      <ErrorNotice title="The samples cannot be listed" error={error} />
      {data?.items.map(({ id, name, description, steps, text }) => (
        <Choice key={id} name={name} description={description} steps={steps} onChoose={() => begin(text)} />
      ))}
    </Stack>
  );
}

function Choice({
  name,
  description,
  steps,
  onChoose,
}: {
  name: string;
  description: string;
  steps?: number;
  onChoose: () => void;
}): ReactNode {
  return (
    <UnstyledButton className={classes['choice']} onClick={onChoose}>
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" fw={600}>
          {name}
        </Text>
        {steps !== undefined && (
          <Badge variant="outline" color="gray" size="sm" tt="none" style={{ flexShrink: 0 }}>
            {steps} steps
          </Badge>
        )}
      </Group>
      <Text size="xs" c="dimmed">
        {description}
      </Text>
    </UnstyledButton>
  );
}

function begin(text: string): void {
  writeDraft(NEW_DRAFT, { text, base: '', at: Date.now() });
  navigate('/scripts/new');
}
