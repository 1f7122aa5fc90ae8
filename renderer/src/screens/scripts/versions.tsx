import { Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** What a script was before it was changed. */
export function Versions({
  reference,
}: {
  reference: string;
  /** As it is in the editor. */
  text: string;
  onRestore: (text: string) => void;
}): ReactNode {
  return <Text size="sm">{reference}</Text>;
}
