import { Anchor, Group, Paper, Stack, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Shapes } from '../../api/api.ts';
import { StateBadge } from '../../ui/badges.tsx';
import { formatAgo, formatFullTime } from '../../ui/format.ts';

/** The runs that ended last. */
export function RecentRuns({ runs }: { runs: readonly Shapes['Run'][] }): ReactNode {
  if (runs.length === 0) return null;
  return (
    <Stack gap="xs" component="section" aria-labelledby="recent-runs">
      <Group justify="space-between">
        <Title order={2} size="h4" id="recent-runs">
          Recent runs
        </Title>
        <Anchor component={Link} href="/runs" size="sm">
          All runs
        </Anchor>
      </Group>
      <Paper withBorder>
        <Table aria-labelledby="recent-runs" layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Script</Table.Th>
              <Table.Th w={150}>State</Table.Th>
              <Table.Th w={120} visibleFrom="xs">
                When
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {runs.map((run) => (
              <Table.Tr key={run.run_id}>
                <Table.Td>
                  <Anchor component={Link} href={`/runs/${run.run_id}`} size="sm" className="breakable">
                    {run.script_name}
                  </Anchor>
                  {run.error && (
                    <Text size="xs" c="dimmed" truncate>
                      {run.error.message}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <StateBadge run={run} />
                </Table.Td>
                <Table.Td visibleFrom="xs" title={formatFullTime(run.ended_at ?? run.queued_at)}>
                  <Text size="xs" c="dimmed">
                    {formatAgo(run.ended_at ?? run.queued_at)}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
    </Stack>
  );
}
