import { Badge, Box, Group, Paper, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Problem } from '../../../../../agent/script/problem.ts';
import { ErrorNotice } from '../../../ui/error-notice.tsx';
import type { Judgement } from '../use-problems.ts';

/** What is wrong with the script; each leads to its place. */
export function ProblemsPanel({
  judgement: { problems, isUpToDate, isValid, error },
  onJump,
}: {
  judgement: Judgement;
  onJump: (line: number, column: number) => void;
}): ReactNode {
  if (error) return <ErrorNotice title="The script cannot be checked" error={error} />;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return (
    <Paper withBorder component="section" aria-label="Problems" p="xs">
      <Group gap={6} role="status" wrap="nowrap">
        {errors > 0 ? (
          <IconCircleX size={18} color="var(--mantine-color-error)" aria-hidden />
        ) : (
          <IconCircleCheck size={18} color="var(--mantine-primary-color-filled)" aria-hidden />
        )}
        <Text size="sm" fw={500}>
          {isUpToDate ? wordsFor(isValid, errors, problems.length - errors) : 'Checking…'}
        </Text>
      </Group>
      {problems.length > 0 && (
        <Stack
          component="ul"
          gap={2}
          mt={6}
          mah={180}
          p={0}
          m={0}
          tabIndex={0}
          aria-label="List of problems"
          style={{ listStyle: 'none', overflowY: 'auto' }}
        >
          {problems.map((problem) => (
            <li key={`${problem.path} ${problem.message}`}>
              <Row problem={problem} onJump={onJump} />
            </li>
          ))}
        </Stack>
      )}
    </Paper>
  );
}

function Row({
  problem: { severity, path, line, column, message, suggestion },
  onJump,
}: {
  problem: Problem;
  onJump: (line: number, column: number) => void;
}): ReactNode {
  return (
    <UnstyledButton w="100%" p={4} onClick={() => onJump(line ?? 1, column ?? 1)} title={`${path}: go there`}>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Badge
          color={severity === 'error' ? 'red' : 'yellow'}
          variant="light"
          size="sm"
          tt="none"
          style={{ flexShrink: 0 }}
          leftSection={severity === 'warning' ? <IconAlertTriangle size={11} aria-hidden /> : undefined}
        >
          {severity === 'error' ? 'Error' : 'Hint'}
        </Badge>
        <Box>
          <Text size="sm" className="breakable" lh={1.4}>
            {message}
            {suggestion !== undefined && !message.includes(suggestion) && ` Did you mean ${suggestion}?`}
          </Text>
          <Text size="xs" c="dimmed" className="breakable">
            {line === undefined ? path : `Line ${line}, ${path}`}
          </Text>
        </Box>
      </Group>
    </UnstyledButton>
  );
}

function wordsFor(isValid: boolean, errors: number, hints: number): string {
  const hintWords = hints === 0 ? '' : hints === 1 ? '1 hint' : `${hints} hints`;
  if (isValid) return hintWords === '' ? 'No problems: it can run.' : `It can run, with ${hintWords}.`;
  const errorWords = errors === 1 ? '1 problem keeps' : `${errors} problems keep`;
  return `${errorWords} it from running${hintWords === '' ? '' : `, and there is ${hintWords}`}.`;
}
