import type { ReactNode } from 'react';
import { PageHeader } from '../../ui/page-header.tsx';

export default function Scripts(): ReactNode {
  return <PageHeader title="Scripts" />;
}
