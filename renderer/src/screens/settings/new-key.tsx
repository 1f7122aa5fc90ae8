/** Makes a key, and shows it once. */
import {
  Alert,
  Button,
  Checkbox,
  Code,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { answerOf } from '../../../../agent/client/client.ts';
import { useApi, type Shapes } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';

type Scope = Shapes['ApiKey']['scopes'][number];
type Tier = Shapes['ApiKey']['tier'];

const SCOPES: Record<Scope, string> = {
  read: 'See runs, profiles, settings and events',
  run: 'Start runs and sessions',
  operate: 'Pause, take over, cancel, restart',
  admin: 'Everything: settings, keys, profiles',
};

const TIERS: { value: Tier; label: string }[] = [
  { value: 'basic', label: 'Basic' },
  { value: 'standard', label: 'Standard: more requests' },
  { value: 'premium', label: 'Premium: most requests' },
];

const DAYS = [
  { value: '', label: 'Never' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
];
const DAY_MS = 86_400_000;

export function NewKey({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }): ReactNode {
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title="Create an API key"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {isOpen && <NewKeyForm onClose={onClose} />}
    </Modal>
  );
}

function NewKeyForm({ onClose }: { onClose: () => void }): ReactNode {
  const { client } = useApi();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>(['read']);
  const [tier, setTier] = useState<Tier>('basic');
  const [days, setDays] = useState('');
  const create = useMutation({
    mutationFn: async () =>
      answerOf(
        client.POST('/api/v1/keys', {
          body: {
            name: name.trim(),
            scopes: scopes as Scope[],
            tier,
            ...(days === ''
              ? {}
              : { expires_at: new Date(Date.now() + Number(days) * DAY_MS).toISOString() }),
          },
        }),
      ),
    onSettled: async () => queries.invalidateQueries({ queryKey: ['get', '/api/v1/keys'] }),
  });
  if (create.data) return <MadeKey name={create.data.name} text={create.data.key} onClose={onClose} />;
  return (
    <Stack
      component="form"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <TextInput
        label="Name"
        description="What the key is for, so that you know it again."
        required
        data-autofocus
        maxLength={80}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Checkbox.Group label="What it may do" value={scopes} onChange={setScopes}>
        <Stack gap={6} mt={6}>
          {Object.entries(SCOPES).map(([scope, words]) => (
            <Checkbox key={scope} value={scope} label={words} />
          ))}
        </Stack>
      </Checkbox.Group>
      <Select
        label="How much it may ask"
        data={TIERS}
        value={tier}
        allowDeselect={false}
        onChange={(next) => setTier((next ?? 'basic') as Tier)}
      />
      <Select
        label="Expires"
        data={DAYS}
        value={days}
        allowDeselect={false}
        onChange={(next) => setDays(next ?? '')}
      />
      <ErrorNotice title="No key was made" error={create.error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={create.isPending} disabled={name.trim() === '' || scopes.length === 0}>
          Create the key
        </Button>
      </Group>
    </Stack>
  );
}

function MadeKey({ name, text, onClose }: { name: string; text: string; onClose: () => void }): ReactNode {
  return (
    <Stack>
      <Alert color="yellow" title="Copy it now">
        This is the only time that the key is shown. Whoever has it can do what you ticked.
      </Alert>
      <Text size="sm">Key “{name}”:</Text>
      <Code block className="breakable" style={{ whiteSpace: 'pre-wrap' }}>
        {text}
      </Code>
      <Group justify="flex-end">
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy} data-autofocus>
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
