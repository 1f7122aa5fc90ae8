import { Center, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** What is shown where nothing is yet: what would be here, and how to begin. */
export function EmptyState({
  title,
  icon: Icon,
  children,
  action,
}: {
  title: string;
  icon?: TablerIcon;
  children?: ReactNode;
  action?: ReactNode;
}): ReactNode {
  return (
    <Center py="xl" px="md">
      <Stack align="center" gap="xs" maw={460} ta="center">
        {Icon && (
          <ThemeIcon variant="light" size={52} radius="xl" aria-hidden>
            <Icon size={26} stroke={1.5} />
          </ThemeIcon>
        )}
        <Title order={2} size="h4">
          {title}
        </Title>
        {children !== undefined && (
          <Text component="div" c="dimmed" size="sm">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Center>
  );
}
