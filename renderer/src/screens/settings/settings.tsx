import type { ReactNode } from 'react';
import { PageHeader } from '../../ui/page-header.tsx';

export default function Settings(): ReactNode {
  return <PageHeader title="Settings" />;
}
