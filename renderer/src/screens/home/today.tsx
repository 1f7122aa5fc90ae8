/** The numbers of the day. */
import { Paper, SimpleGrid, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Shapes } from '../../api/api.ts';
import { formatBytes, formatCount, formatDuration } from '../../ui/format.ts';

export function Today({ summary }: { summary: Shapes['Summary'] }): ReactNode {
  const { runs, median_duration_ms: median, uploads } = summary;
  const failed = runs.failed + runs.lost;
  return (
    <SimpleGrid cols={{ base: 2, md: 4 }} component="section" aria-label="Today">
      <Figure
        label="Runs today"
        value={formatCount(runs.total)}
        note={`${formatCount(runs.succeeded)} succeeded`}
      />
      <Figure
        label="Failed"
        value={formatCount(failed)}
        note={failed === 0 ? 'none today' : 'failed or lost'}
      />
      <Figure
        label="Usual time"
        value={median === null ? '–' : formatDuration(median)}
        note={median === null ? 'no run has ended' : 'half take less'}
      />
      <Figure
        label="Uploaded"
        value={formatBytes(uploads.bytes)}
        note={uploads.waiting === 0 ? 'nothing waits' : `${formatCount(uploads.waiting)} files wait`}
      />
    </SimpleGrid>
  );
}

function Figure({ label, value, note }: { label: string; value: string; note: string }): ReactNode {
  return (
    <Paper withBorder p="sm">
      <Text size="xs" c="dimmed" fw={600}>
        {label}
      </Text>
      <Text size="xl" fw={600} className="numbers" lh={1.4}>
        {value}
      </Text>
      <Text size="xs" c="dimmed">
        {note}
      </Text>
    </Paper>
  );
}
