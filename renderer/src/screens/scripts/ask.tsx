import { Text } from '@mantine/core';
import { modals } from '@mantine/modals';

/** Asks a question that work stands still for. @returns whether the person said yes */
export async function askWords({
  title,
  words,
  confirm,
  cancel,
}: {
  title: string;
  words: string;
  confirm: string;
  cancel: string;
}): Promise<boolean> {
  return new Promise((resolve) => {
    modals.openConfirmModal({
      title,
      children: <Text size="sm">{words}</Text>,
      labels: { confirm, cancel },
      closeButtonProps: { 'aria-label': 'Close' },
      onConfirm: () => resolve(true),
      onCancel: () => resolve(false),
      onClose: () => resolve(false),
    });
  });
}
