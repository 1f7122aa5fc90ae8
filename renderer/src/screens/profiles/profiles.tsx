import type { ReactNode } from 'react';
import { PageHeader } from '../../ui/page-header.tsx';

export default function Profiles(): ReactNode {
  return <PageHeader title="Profiles" />;
}
