import type { ReactNode } from 'react';
import { PageHeader } from '../../ui/page-header.tsx';

export default function Log(): ReactNode {
  return <PageHeader title="Log" />;
}
