/** What a person would have seen in red in the browser's console, before the run failed. */
import { Badge, Center, Loader, Stack, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { z } from 'zod';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { useEvidenceText } from '../../ui/use-evidence.ts';
import { TextBlock, type Artifact } from './evidence.tsx';

const errorsSchema = z.object({
  problems_total: z.number().optional(),
  problems: z.array(
    z.object({
      kind: z.string(),
      text: z.string(),
      url: z.string().optional(),
      times: z.number().optional(),
    }),
  ),
});

const KINDS: Record<string, string> = {
  console: 'Console',
  exception: 'Script error',
  network: 'Network',
  browser: 'Browser',
};

export function PageErrors({ artifact }: { artifact: Artifact }): ReactNode {
  const { data, error } = useEvidenceText(artifact.href);
  if (error) return <ErrorNotice title="They cannot be shown" error={error} />;
  if (data === undefined) {
    return (
      <Center mih={120} role="status" aria-label="Loading">
        <Loader size="sm" />
      </Center>
    );
  }
  const read = errorsSchema.safeParse(parse(data));
  if (!read.success) return <TextBlock text={data} label="Page errors" />;
  const { problems, problems_total: total = problems.length } = read.data;
  if (problems.length === 0)
    return <Text c="dimmed">The pages reported no errors before the run failed.</Text>;
  return (
    <Stack gap="xs">
      {total > problems.length && (
        <Text size="sm" c="dimmed">
          The last {problems.length} of {total}.
        </Text>
      )}
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Kind</Table.Th>
            <Table.Th>What the page reported</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {problems.map(({ kind, text, url, times }) => (
            <Table.Tr key={`${kind} ${text} ${url ?? ''}`}>
              <Table.Td>
                <Badge variant="outline" color="gray" size="sm" tt="none">
                  {KINDS[kind] ?? kind}
                </Badge>
              </Table.Td>
              <Table.Td className="breakable">
                {text}
                {times !== undefined && times > 1 && ` (${times} times)`}
                {url !== undefined && (
                  <Text size="xs" c="dimmed">
                    {url}
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
