/** What was looked at or done, one after the other, each with how it went and how to mend it. */
import { Box, Group, List, Loader, Text, ThemeIcon, type MantineColor } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconMinus, IconX, type TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

export interface CheckResult {
  title: string;
  status: 'ok' | 'warn' | 'fail' | 'skip';
  detail: string;
  /** What to do; empty when nothing is. */
  fix: string;
}

const LOOKS: Record<CheckResult['status'], { icon: TablerIcon; color: MantineColor; words: string }> = {
  ok: { icon: IconCheck, color: 'green', words: 'Well' },
  warn: { icon: IconAlertTriangle, color: 'yellow', words: 'Look at this' },
  fail: { icon: IconX, color: 'red', words: 'Failed' },
  skip: { icon: IconMinus, color: 'gray', words: 'Not checked' },
};

export function CheckList({
  checks,
  label,
  waitingFor,
}: {
  checks: readonly CheckResult[];
  /** What the list is, for screen readers. */
  label: string;
  /** What is going on; null: nothing more comes. */
  waitingFor?: string | null;
}): ReactNode {
  return (
    <Box aria-live="polite">
      {checks.length > 0 && (
        <List listStyleType="none" spacing={6} aria-label={label}>
          {checks.map((check) => (
            <Check key={check.title} check={check} />
          ))}
        </List>
      )}
      {typeof waitingFor === 'string' && (
        <Group gap="sm" mt={checks.length > 0 ? 'sm' : 0} wrap="nowrap">
          <Loader size={20} aria-hidden />
          <Text size="sm" c="dimmed">
            {waitingFor}
          </Text>
        </Group>
      )}
    </Box>
  );
}

function Check({ check: { title, status, detail, fix } }: { check: CheckResult }): ReactNode {
  const { icon: Icon, color, words } = LOOKS[status];
  return (
    <List.Item styles={{ itemWrapper: { width: '100%' }, itemLabel: { width: '100%' } }}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <ThemeIcon size={20} radius="xl" color={color} variant="light" role="img" aria-label={words}>
          <Icon size={14} aria-hidden />
        </ThemeIcon>
        <Box flex={1} miw={0}>
          <Text size="sm" lh="20px" className="breakable">
            <Text span inherit fw={500}>
              {title}
            </Text>
            {detail !== '' && (
              <Text span inherit c="dimmed">
                {' · '}
                {detail}
              </Text>
            )}
          </Text>
          {fix !== '' && status !== 'ok' && (
            <Text size="sm" className="breakable">
              <Text span fw={600} inherit>
                What to do:{' '}
              </Text>
              {fix}
            </Text>
          )}
        </Box>
      </Group>
    </List.Item>
  );
}
