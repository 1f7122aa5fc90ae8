/** The profiles of this machine: browsers that stay signed in. */
import { Button, SimpleGrid, Skeleton, Stack, TextInput } from '@mantine/core';
import { IconFileUpload, IconPlus, IconSearch, IconUserCircle } from '@tabler/icons-react';
import { useMemo, useState, type ReactNode } from 'react';
import { useApi } from '../../api/api.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { CheckDialog } from './check-dialog.tsx';
import { CloneDialog } from './clone-dialog.tsx';
import { ExportDialog } from './export-dialog.tsx';
import { ImportDialog } from './import-dialog.tsx';
import { ProfileCard, type Dialog } from './profile-card.tsx';
import { ProfileForm } from './profile-form.tsx';
import type { Profile } from './profile-words.ts';
import { SignInDialog } from './sign-in-dialog.tsx';

/** How often a sign-in is looked at that is under way, in milliseconds: closing its window tells no event. */
const SIGNING_IN_MS = 1_500;
/** From so many on a search is of use. */
const MANY = 6;

type Open = { dialog: 'new' | 'import' } | { dialog: Dialog; name: string } | null;

export default function Profiles(): ReactNode {
  const { query } = useApi();
  const { data, error, refetch } = query.useQuery('get', '/api/v1/profiles', undefined, {
    refetchInterval: ({ state }) =>
      state.data?.items.some(({ sign_in: signIn }) => signIn !== null && signIn.ended_at === null) === true
        ? SIGNING_IN_MS
        : false,
  });
  const [open, setOpen] = useState<Open>(null);
  const [search, setSearch] = useState('');
  const items = useMemo(() => matching(data?.items ?? [], search), [data, search]);
  const knownTags = useMemo(
    () => [...new Set(data?.items.flatMap(({ tags }) => tags) ?? [])].toSorted(),
    [data],
  );
  const close = (): void => setOpen(null);
  const newButton = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen({ dialog: 'new' })}>
      New profile
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Profiles"
        description="Each is a browser of its own that stays signed in. Sign in once; runs use it from then on."
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconFileUpload size={16} aria-hidden />}
              onClick={() => setOpen({ dialog: 'import' })}
            >
              From a file
            </Button>
            {newButton}
          </>
        }
      />
      <Stack gap="md">
        {error !== null && (
          <ErrorNotice title="The profiles cannot be listed" error={error} onRetry={() => void refetch()} />
        )}
        {!data && error === null && <Skeleton h={180} role="status" aria-label="Loading the profiles" />}
        {data && data.items.length >= MANY && (
          <TextInput
            aria-label="Search profiles"
            placeholder="Search by name, tag or description"
            leftSection={<IconSearch size={16} aria-hidden />}
            value={search}
            onChange={({ currentTarget }) => setSearch(currentTarget.value)}
            maw={420}
          />
        )}
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
          {items.map((profile) => (
            <ProfileCard
              key={profile.name}
              profile={profile}
              onDialog={(dialog) => setOpen({ dialog, name: profile.name })}
            />
          ))}
        </SimpleGrid>
        {data && data.items.length > 0 && items.length === 0 && (
          <EmptyState
            title="No profile matches"
            icon={IconSearch}
            action={
              <Button variant="default" onClick={() => setSearch('')}>
                Show all profiles
              </Button>
            }
          />
        )}
        {data?.items.length === 0 && (
          <EmptyState title="No profiles yet" icon={IconUserCircle} action={newButton}>
            A portal that asks for a password needs a profile: you sign in to it once in a real browser
            window, and every run that uses it is signed in. Make one for each portal and account.
          </EmptyState>
        )}
      </Stack>
      <Dialogs open={open} profiles={data?.items ?? []} knownTags={knownTags} onClose={close} />
    </>
  );
}

function Dialogs({
  open,
  profiles,
  knownTags,
  onClose,
}: {
  open: Open;
  profiles: readonly Profile[];
  knownTags: readonly string[];
  onClose: () => void;
}): ReactNode {
  if (open === null) return null;
  if (!('name' in open)) {
    return open.dialog === 'import' ? (
      <ImportDialog onClose={onClose} />
    ) : (
      <ProfileForm profile={null} knownTags={knownTags} onClose={onClose} />
    );
  }
  const profile = profiles.find(({ name }) => name === open.name);
  if (!profile) return null;
  switch (open.dialog) {
    case 'edit':
      return <ProfileForm profile={profile} knownTags={knownTags} onClose={onClose} />;
    case 'sign-in':
      return <SignInDialog profile={profile} onClose={onClose} />;
    case 'check':
      return <CheckDialog profile={profile} onClose={onClose} />;
    case 'clone':
      return <CloneDialog profile={profile} onClose={onClose} />;
    case 'export':
      return <ExportDialog profile={profile} onClose={onClose} />;
  }
}

/** All words are somewhere in it. */
function matching(items: readonly Profile[], search: string): Profile[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ name, tags, description }) => {
    const text = `${name} ${tags.join(' ')} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
