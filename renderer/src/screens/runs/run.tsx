import type { ReactNode } from 'react';
import { PageHeader } from '../../ui/page-header.tsx';

export default function Run(): ReactNode {
  return <PageHeader title="Run" />;
}
