/** What the owner of this machine decides; each value with where it comes from and when a change counts. */
import { Loader, Stack, TextInput } from '@mantine/core';
import { IconSearch, IconZoomQuestion } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { bridge } from '../../bridge.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { PageHeader } from '../../ui/page-header.tsx';
import { AdvancedSection } from './advanced-section.tsx';
import { AwsSection } from './aws-section.tsx';
import { KeysSection } from './keys-section.tsx';
import { StartAtLogin } from './machine-section.tsx';
import { groupOf, nameOf, PLACED } from './names.ts';
import { RecordingSection } from './recording-section.tsx';
import { RestartBanner } from './restart-banner.tsx';
import { Section } from './section.tsx';
import { SettingField } from './setting-field.tsx';
import { useSettings, type Setting } from './use-settings.ts';

type Find = (key: string) => Setting | undefined;

export default function Settings(): ReactNode {
  const { items, error, retry } = useSettings();
  const [search, setSearch] = useState('');
  const find: Find = (key) => items?.find((setting) => setting.key === key);
  return (
    <>
      <PageHeader title="Settings" />
      {error !== null && <ErrorNotice title="The settings cannot be read" error={error} onRetry={retry} />}
      {items === undefined && error === null && <Loader role="status" aria-label="Loading" />}
      {items && (
        <Stack gap="md" maw={860}>
          <TextInput
            aria-label="Search the settings"
            placeholder="Search the settings"
            type="search"
            leftSection={<IconSearch size={16} aria-hidden />}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
          <RestartBanner settings={items} />
          {search.trim() === '' ? (
            <AllSections items={items} find={find} />
          ) : (
            <Found items={items} search={search} />
          )}
        </Stack>
      )}
    </>
  );
}

function AllSections({ items, find }: { items: readonly Setting[]; find: Find }): ReactNode {
  return (
    <>
      <RecordingSection find={find} />
      <Section title="Tasks" description="How the agent takes work.">
        <Fields keys={PLACED.work} find={find} />
      </Section>
      <Section title="Browser">
        <Fields keys={PLACED.browser} find={find} />
      </Section>
      <Section
        title="This computer"
        description={bridge ? undefined : 'Start at login is set in the desktop app.'}
      >
        <StartAtLogin />
        <Fields keys={PLACED.machine} find={find} />
      </Section>
      <AwsSection find={find} />
      <KeysSection />
      <AdvancedSection settings={items} />
    </>
  );
}

function Fields({ keys, find }: { keys: readonly string[]; find: Find }): ReactNode {
  return keys.map((key) => {
    const setting = find(key);
    return setting && <SettingField key={key} setting={setting} />;
  });
}

/** Every word of the search is somewhere in the name, the key or the words of a setting. */
function Found({ items, search }: { items: readonly Setting[]; search: string }): ReactNode {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items.filter((setting) => {
    const { key, doc } = setting;
    const text = `${nameOf(key)} ${groupOf(key)} ${key} ${doc}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (found.length === 0) {
    return (
      <EmptyState title="No setting is called that" icon={IconZoomQuestion}>
        Try another word, e.g. “level”, “port” or “timeout”. AWS and API keys stand on the page without a
        search.
      </EmptyState>
    );
  }
  return (
    <Section title={found.length === 1 ? 'One setting' : `${found.length} settings`}>
      {found.map((setting) => (
        <SettingField key={setting.key} setting={setting} showKey />
      ))}
    </Section>
  );
}
