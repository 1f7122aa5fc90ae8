/** The stored scripts, to be found, opened and run. */
import {
  Anchor,
  Badge,
  Button,
  CloseButton,
  Group,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconFileCode, IconPlus, IconSearch } from '@tabler/icons-react';
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import { useApi, type Shapes } from '../../api/api.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatAgo, formatFullTime } from '../../ui/format.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { draftIds, NEW_DRAFT } from './drafts.ts';
import { NewScript } from './new-script.tsx';
import { editPath } from './reference.ts';

type Stored = Shapes['StoredScript'];

export function Library(): ReactNode {
  const { query } = useApi();
  const { data, error, refetch } = query.useQuery('get', '/api/v1/scripts');
  const [search, setSearch] = useState('');
  const [drafts, setDrafts] = useState(draftIds);
  // The editor that was there before this screen keeps its last letters as it goes.
  useEffect(() => setDrafts(draftIds()), []);
  const [isOpen, dialog] = useDisclosure(false);
  const items = useMemo(() => matching(data?.items ?? [], search), [data, search]);
  const newButton = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={dialog.open}>
      New script
    </Button>
  );
  return (
    <>
      <PageHeader
        title="Scripts"
        description="What the browser is to do, step by step. Tasks can name a script that is stored here."
        actions={newButton}
      />
      <NewScript isOpen={isOpen} onClose={dialog.close} />
      <Stack gap="md">
        {error !== null && (
          <ErrorNotice title="The scripts cannot be listed" error={error} onRetry={() => void refetch()} />
        )}
        {drafts.has(NEW_DRAFT) && (
          <Text size="sm">
            There is a new script that you have not saved yet.{' '}
            <Anchor component={Link} href="/scripts/new" size="sm">
              Go on with it
            </Anchor>
          </Text>
        )}
        {data && data.items.length > 0 && (
          <TextInput
            aria-label="Search scripts"
            placeholder="Search by name or description"
            leftSection={<IconSearch size={16} aria-hidden />}
            value={search}
            onChange={({ currentTarget }) => setSearch(currentTarget.value)}
            rightSection={
              search === '' ? null : (
                <CloseButton aria-label="Clear the search" onClick={() => setSearch('')} />
              )
            }
            maw={420}
          />
        )}
        {!data && error === null && <Skeleton h={180} role="status" aria-label="Loading the scripts" />}
        {items.length > 0 && <ScriptTable items={items} drafts={drafts} />}
        {data && items.length === 0 && data.items.length > 0 && (
          <EmptyState
            title="No script matches"
            icon={IconSearch}
            action={
              <Button variant="default" onClick={() => setSearch('')}>
                Show all scripts
              </Button>
            }
          >
            Nothing is named or described like “{search}”.
          </EmptyState>
        )}
        {data?.items.length === 0 && (
          <EmptyState title="No scripts yet" icon={IconFileCode} action={newButton}>
            A script says what to do in the browser: which page to open, what to fill in, what to read. Begin
            with one of the samples and change it to what you need.
          </EmptyState>
        )}
      </Stack>
    </>
  );
}

function ScriptTable({
  items,
  drafts,
}: {
  items: readonly Stored[];
  drafts: ReadonlySet<string>;
}): ReactNode {
  return (
    <Table.ScrollContainer minWidth={340}>
      <Table verticalSpacing="sm" highlightOnHover aria-label="Stored scripts">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Script</Table.Th>
            <Table.Th scope="col">Version</Table.Th>
            <Table.Th scope="col" ta="right" visibleFrom="sm">
              Steps
            </Table.Th>
            <Table.Th scope="col" visibleFrom="sm">
              Profile
            </Table.Th>
            <Table.Th scope="col">Changed</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Row key={item.reference} item={item} hasDraft={drafts.has(item.reference)} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ item, hasDraft }: { item: Stored; hasDraft: boolean }): ReactNode {
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap="xs">
          <Anchor component={Link} href={editPath(item.reference)} fw={600} size="sm" className="breakable">
            {item.name}
          </Anchor>
          {hasDraft && (
            <Badge size="sm" variant="light" color="yellow" tt="none">
              Changes not saved
            </Badge>
          )}
        </Group>
        {item.description !== null && item.description !== '' && (
          <Text size="xs" c="dimmed" lineClamp={2} maw={440}>
            {item.description}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{item.version ?? '–'}</Text>
      </Table.Td>
      <Table.Td ta="right" className="numbers" visibleFrom="sm">
        {item.steps ?? '–'}
      </Table.Td>
      <Table.Td visibleFrom="sm">
        <Text size="sm" className="breakable">
          {item.profile ?? 'Any'}
        </Text>
      </Table.Td>
      <Table.Td>
        <Text size="sm" title={formatFullTime(item.updated_at)} style={{ whiteSpace: 'nowrap' }}>
          {formatAgo(item.updated_at)}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

/** All words are somewhere in it. */
function matching(items: readonly Stored[], search: string): Stored[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter(({ reference, title, description }) => {
    const text = `${reference} ${title ?? ''} ${description ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
