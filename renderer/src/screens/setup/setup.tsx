import type { ReactNode } from 'react';
import { PageHeader } from '../../ui/page-header.tsx';

export default function Setup(): ReactNode {
  return <PageHeader title="Setup" />;
}
