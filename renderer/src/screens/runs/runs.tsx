import type { ReactNode } from 'react';
import { PageHeader } from '../../ui/page-header.tsx';

export default function Runs(): ReactNode {
  return <PageHeader title="Runs" />;
}
