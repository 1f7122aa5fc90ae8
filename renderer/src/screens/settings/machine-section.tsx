/** What concerns this computer: start at login, viewers, the log. */
import { Alert, Stack, Switch, Text } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { bridge, type LoginItem, type VaultProtection } from '../../bridge.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';

/** Only in the window: a browser's page cannot know or set it. */
export function StartAtLogin(): ReactNode {
  const [item, setItem] = useState<LoginItem | null>(null);
  const [vault, setVault] = useState<VaultProtection | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    bridge?.getLoginItem().then(setItem, setError);
    bridge?.vault().then(setVault, setError);
  }, []);
  if (!bridge) return null;
  return (
    <Stack gap="sm">
      {item && (
        <Switch
          label="Start when I sign in to this computer"
          description="The agent starts in the background, in the tray."
          checked={item.isOn}
          disabled={!item.isSettable}
          onChange={(event) => {
            setError(null);
            bridge?.setLoginItem(event.currentTarget.checked).then(setItem, setError);
          }}
        />
      )}
      {item?.problem && (
        <Text size="sm" c="dimmed">
          {item.problem}
        </Text>
      )}
      {vault && (
        <Alert color={vault.isProtected ? 'green' : 'yellow'} title="How keys are kept on this computer">
          {vault.isProtected
            ? `Keys for AWS are encrypted with ${vault.protection}.`
            : `Keys for AWS are not protected by this computer: ${vault.protection}. Signing in with AWS single sign-on or a role is better: then nothing is stored.`}
        </Alert>
      )}
      <ErrorNotice title="This could not be read or changed" error={error} />
    </Stack>
  );
}
