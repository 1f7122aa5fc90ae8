import { Anchor } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

export function BackToScripts(): ReactNode {
  return (
    <Anchor component={Link} href="/scripts" size="sm" style={{ alignSelf: 'flex-start' }}>
      <IconArrowLeft size={14} aria-hidden style={{ verticalAlign: '-2px' }} /> Scripts
    </Anchor>
  );
}
