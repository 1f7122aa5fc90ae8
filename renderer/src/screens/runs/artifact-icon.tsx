import {
  IconBraces,
  IconBug,
  IconCamera,
  IconCode,
  IconDownload,
  IconFile,
  IconListDetails,
  IconNetwork,
  IconPhoto,
  IconRoute,
  IconVideo,
  type Icon,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ArtifactKind } from '../../../../agent/recording/artifact-kinds.ts';

const ICONS: Record<ArtifactKind, Icon> = {
  failure_screenshot: IconPhoto,
  failure_html: IconCode,
  failure_errors: IconBug,
  failure_video: IconVideo,
  manifest: IconListDetails,
  final_screenshot: IconPhoto,
  final_html: IconCode,
  data: IconBraces,
  download: IconDownload,
  screenshot: IconCamera,
  key_screenshot: IconPhoto,
  key_html: IconCode,
  trace: IconRoute,
  har: IconNetwork,
  step_screenshot: IconPhoto,
  step_html: IconCode,
  video: IconVideo,
};

/** The icon of a kind of artifact; decoration, because its title stands beside it. */
export function ArtifactIcon({ kind }: { kind: string }): ReactNode {
  // A newer agent may have kinds that this page does not know.
  const Shown = (ICONS as Record<string, Icon | undefined>)[kind] ?? IconFile;
  return <Shown size={18} stroke={1.5} aria-hidden />;
}
