import { Box, Paper, Stack, Text, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

/** A group of settings. */
export function Section({
  title,
  description,
  children,
}: {
  title: string;
  description?: ReactNode;
  children: ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={id}>
      <Box mb="md">
        <Title order={2} size="h4" id={id}>
          {title}
        </Title>
        {description !== undefined && (
          <Text component="div" size="sm" c="dimmed" maw={640}>
            {description}
          </Text>
        )}
      </Box>
      <Stack gap="lg">{children}</Stack>
    </Paper>
  );
}
