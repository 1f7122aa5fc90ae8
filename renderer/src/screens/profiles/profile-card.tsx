/** One profile: how it stands, and what can be done with it. */
import { Alert, Anchor, Badge, Button, Group, Menu, Paper, Stack, Text, Title } from '@mantine/core';
import { modals } from '@mantine/modals';
import {
  IconBrowser,
  IconCheck,
  IconCopy,
  IconDots,
  IconEdit,
  IconFileDownload,
  IconShieldCheck,
  IconTrash,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { answerOf } from '../../../../agent/client/client.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatAgo, formatFullTime } from '../../ui/format.ts';
import { editPath } from '../scripts/reference.ts';
import { signedInOf, usedByWords, type Profile } from './profile-words.ts';
import { useProfileChange } from './use-profile.ts';

export type Dialog = 'edit' | 'sign-in' | 'check' | 'clone' | 'export';

export function ProfileCard({
  profile,
  onDialog,
}: {
  profile: Profile;
  onDialog: (dialog: Dialog) => void;
}): ReactNode {
  const { name, check, sign_in: signIn } = profile;
  const params = { path: { name } };
  const look = useProfileChange(async (client) =>
    answerOf(client.POST('/api/v1/profiles/{name}/check', { params, body: {} })),
  );
  const remove = useProfileChange(async (client) =>
    answerOf(client.DELETE('/api/v1/profiles/{name}', { params })),
  );
  const signedIn = signedInOf(profile);
  const used = usedByWords(profile);
  const isSigningIn = signIn?.state === 'open' || signIn?.state === 'waiting';
  return (
    <Paper withBorder p="md" component="article" aria-label={name}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Title order={2} size="h5" className="breakable">
            {name}
          </Title>
          <Group gap="xs" wrap="nowrap">
            <Badge color={signedIn.color} variant="light" tt="none">
              {signedIn.label}
            </Badge>
            <More profile={profile} onDialog={onDialog} onRemove={() => remove.mutate()} />
          </Group>
        </Group>
        {profile.description !== '' && (
          <Text size="sm" className="breakable" lineClamp={3}>
            {profile.description}
          </Text>
        )}
        {profile.tags.length > 0 && (
          <Group gap={6} role="list" aria-label="Tags">
            {profile.tags.map((tag) => (
              <Badge key={tag} role="listitem" variant="outline" color="gray" tt="none" fw={500}>
                {tag}
              </Badge>
            ))}
          </Group>
        )}
        <Stack gap={2}>
          {signedIn.detail !== '' && <Fact>{signedIn.detail}</Fact>}
          <Fact title={profile.last_used_at === null ? undefined : formatFullTime(profile.last_used_at)}>
            {profile.last_used_at === null ? 'Never used.' : `Last used ${formatAgo(profile.last_used_at)}.`}
          </Fact>
          {used !== null && !isSigningIn && (
            <Fact>
              {used}{' '}
              {profile.used_by?.kind === 'run' && (
                <Anchor component={Link} href={`/runs/${profile.used_by.id}`} size="sm">
                  Show the run
                </Anchor>
              )}
            </Fact>
          )}
          {profile.used_by_scripts.length > 0 && (
            <Fact>
              Named by{' '}
              {profile.used_by_scripts.map((reference, index) => (
                <span key={reference}>
                  {index > 0 && ', '}
                  <Anchor component={Link} href={editPath(reference)} size="sm">
                    {reference}
                  </Anchor>
                </span>
              ))}
            </Fact>
          )}
        </Stack>
        {signIn && isSigningIn ? (
          <SigningIn profile={profile} signIn={signIn} />
        ) : (
          <>
            {signIn?.state === 'failed' && (
              <Alert color="red" title="The browser could not be opened">
                {signIn.problem}
              </Alert>
            )}
            <Group gap="xs">
              <Button
                size="xs"
                leftSection={<IconBrowser size={14} aria-hidden />}
                onClick={() => onDialog('sign-in')}
              >
                Sign in
              </Button>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconShieldCheck size={14} aria-hidden />}
                loading={look.isPending}
                onClick={() => (check === null ? onDialog('check') : look.mutate())}
              >
                Check the sign-in
              </Button>
            </Group>
          </>
        )}
        {look.isError && <ErrorNotice title="It could not be checked" error={look.error} />}
        {remove.isError && <ErrorNotice title="The profile is still there" error={remove.error} />}
      </Stack>
    </Paper>
  );
}

function Fact({ title, children }: { title?: string | undefined; children: ReactNode }): ReactNode {
  return (
    <Text size="sm" c="dimmed" className="breakable" title={title}>
      {children}
    </Text>
  );
}

/** A browser is open for the person, or waits to be. */
function SigningIn({
  profile: { name },
  signIn,
}: {
  profile: Profile;
  signIn: NonNullable<Profile['sign_in']>;
}): ReactNode {
  const params = { path: { name } };
  const done = useProfileChange(async (client) =>
    answerOf(client.POST('/api/v1/profiles/{name}/sign-in/done', { params })),
  );
  const cancel = useProfileChange(async (client) =>
    answerOf(client.DELETE('/api/v1/profiles/{name}/sign-in', { params })),
  );
  const isOpen = signIn.state === 'open';
  const isRun = signIn.held_by !== null && !signIn.held_by.includes(':');
  return (
    <Alert
      color="blue"
      role="status"
      title={isOpen ? 'The browser is open' : 'The profile is in use'}
      icon={<IconBrowser aria-hidden />}
    >
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          {isOpen
            ? 'Sign in in its window, then press Done. Closing the window is as good.'
            : 'The window opens by itself when the profile is free.'}{' '}
          {!isOpen && isRun && (
            <Anchor component={Link} href={`/runs/${signIn.held_by}`} size="sm">
              Show the run that has it
            </Anchor>
          )}
        </Text>
        <Group gap="xs">
          {isOpen && (
            <Button
              size="xs"
              leftSection={<IconCheck size={14} aria-hidden />}
              loading={done.isPending}
              onClick={() => done.mutate()}
            >
              Done
            </Button>
          )}
          <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            {isOpen ? 'Close without signing in' : 'Wait no longer'}
          </Button>
        </Group>
        <ErrorNotice error={done.error ?? cancel.error} />
      </Stack>
    </Alert>
  );
}

function More({
  profile,
  onDialog,
  onRemove,
}: {
  profile: Profile;
  onDialog: (dialog: Dialog) => void;
  onRemove: () => void;
}): ReactNode {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" color="gray" size="compact-sm" aria-label={`More for ${profile.name}`}>
          <IconDots size={18} aria-hidden />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconEdit size={16} aria-hidden />} onClick={() => onDialog('edit')}>
          Change name, tags and description…
        </Menu.Item>
        <Menu.Item leftSection={<IconShieldCheck size={16} aria-hidden />} onClick={() => onDialog('check')}>
          How its sign-in is checked…
        </Menu.Item>
        <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => onDialog('clone')}>
          Copy…
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileDownload size={16} aria-hidden />}
          onClick={() => onDialog('export')}
        >
          Save as a file…
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          color="red"
          leftSection={<IconTrash size={16} aria-hidden />}
          onClick={() => askToRemove(profile, onRemove)}
        >
          Delete…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function askToRemove({ name, used_by_scripts: scripts }: Profile, onConfirm: () => void): void {
  modals.openConfirmModal({
    title: `Delete “${name}”?`,
    children: (
      <Stack gap="xs">
        <Text size="sm">
          All that is signed in to in it is gone: its cookies, what sites keep in it, and its browsing
          history. Somebody would have to sign in again. The evidence of its runs stays.
        </Text>
        {scripts.length > 0 && (
          <Text size="sm">Scripts that name it fail from then on: {scripts.join(', ')}.</Text>
        )}
      </Stack>
    ),
    labels: { confirm: 'Delete the profile', cancel: 'Keep it' },
    confirmProps: { color: 'red' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm,
  });
}
