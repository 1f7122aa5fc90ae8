import { Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** One step: what it is about, its content, and the ways on below it. */
export function StepFrame({
  title,
  description,
  actions,
  children,
}: {
  title: string;
  description: ReactNode;
  actions: ReactNode;
  children?: ReactNode;
}): ReactNode {
  return (
    <Stack gap="md" maw={680}>
      <div>
        <Title order={2} size="h3">
          {title}
        </Title>
        <Text component="div" size="sm" c="dimmed">
          {description}
        </Text>
      </div>
      {children}
      <Group gap="xs">{actions}</Group>
    </Stack>
  );
}
