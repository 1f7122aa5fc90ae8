/** One file for whoever helps; secrets are left out of it. */
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconFileZip } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { bridge } from '../../bridge.ts';
import { useApi, type Api } from '../../api/api.ts';
import { wordsOf } from '../../ui/error-notice.tsx';

export function DiagnosticsButton(): ReactNode {
  const api = useApi();
  const save = useMutation({
    mutationFn: async () => {
      const name = `local-browser-agent-${new Date().toISOString().slice(0, 10)}.zip`;
      const bytes = await fetchBundle(api);
      if (bridge) return bridge.saveFile({ name, bytes });
      download(name, bytes);
      return name;
    },
    onSuccess: (where) => {
      if (where === null) return;
      notifications.show({
        color: 'green',
        title: 'Diagnostics are saved',
        message: `${where}. Passwords and keys are left out; look into it before you send it to somebody.`,
      });
    },
    onError: (thrown) =>
      notifications.show({
        color: 'red',
        title: 'The diagnostics could not be saved',
        message: wordsOf(thrown),
      }),
  });
  return (
    <Button
      variant="default"
      size="sm"
      loading={save.isPending}
      leftSection={<IconFileZip size={16} aria-hidden />}
      onClick={() => save.mutate()}
    >
      Save diagnostics
    </Button>
  );
}

async function fetchBundle({ client }: Api): Promise<Uint8Array<ArrayBuffer>> {
  const { data } = await client.GET('/api/v1/diagnostics', { parseAs: 'arrayBuffer' });
  return new Uint8Array(data as ArrayBuffer);
}

function download(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const address = URL.createObjectURL(new Blob([bytes], { type: 'application/zip' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
