/** One setting: its input as its type asks for, where its value comes from, and when a change counts. */
import {
  Badge,
  Button,
  Code,
  Group,
  NumberInput,
  Select,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { LevelTable } from './level-table.tsx';
import { descriptionOf, nameOf } from './names.ts';
import { provenanceOf, useChangeSettings, type Setting } from './use-settings.ts';

export function SettingField({
  setting,
  showKey = false,
}: {
  setting: Setting;
  showKey?: boolean;
}): ReactNode {
  const change = useChangeSettings();
  const { key, value } = setting;
  const [draft, setDraft] = useState(value);
  // What somebody else changed meanwhile is shown, and a refused value stays until it is mended.
  const shown = JSON.stringify(value);
  useEffect(() => setDraft(JSON.parse(shown ?? 'null')), [shown]);
  const { isStronger, isOwn, words } = provenanceOf(setting);
  const isLocked = isStronger || setting.read_only === 'environment';
  const isDirty = JSON.stringify(draft) !== shown;
  const save = (next: unknown): void => {
    setDraft(next);
    change.mutate({ [key]: next === '' ? null : next });
  };
  return (
    <Stack
      gap={6}
      component="form"
      aria-label={nameOf(key)}
      onSubmit={(event) => {
        event.preventDefault();
        if (isDirty) save(draft);
      }}
    >
      <SettingInput
        setting={setting}
        draft={draft}
        isLocked={isLocked}
        description={descriptionOf(key) ?? plain(setting.doc)}
        onDraft={setDraft}
        onSave={save}
      />
      <Group gap="xs">
        {isDirty && !isLocked && (
          <>
            <Button type="submit" size="compact-sm" loading={change.isPending}>
              Save
            </Button>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => {
                setDraft(value);
                change.reset();
              }}
            >
              Undo
            </Button>
          </>
        )}
        {setting.pending_restart && (
          <Badge color="yellow" variant="light" tt="none">
            Counts after a restart
          </Badge>
        )}
        <Text size="xs" c="dimmed" className="breakable">
          {setting.read_only === 'environment' && !isStronger
            ? `Can only be set by the environment variable ${setting.environment.join(' or ')}.`
            : words}
          {showKey && (
            <>
              {' · '}
              <Code fz="xs">{key}</Code>
            </>
          )}
        </Text>
        {isOwn && !isDirty && (
          <Button
            size="compact-xs"
            variant="subtle"
            loading={change.isPending}
            onClick={() => change.mutate({ [key]: null })}
            aria-label={`Use the default for ${nameOf(key)}`}
          >
            Use the default
          </Button>
        )}
      </Group>
      <ErrorNotice title="Not saved" error={change.error} />
    </Stack>
  );
}

interface InputProps {
  setting: Setting;
  draft: unknown;
  isLocked: boolean;
  description: string;
  onDraft: (value: unknown) => void;
  onSave: (value: unknown) => void;
}

function SettingInput({ setting, draft, isLocked, description, onDraft, onSave }: InputProps): ReactNode {
  const { key, type, options } = setting;
  const common = { label: nameOf(key), description, disabled: isLocked, maw: 640 };
  if (type === 'boolean') {
    return (
      <Switch
        {...common}
        checked={draft === true}
        onChange={(event) => onSave(event.currentTarget.checked)}
      />
    );
  }
  if (type === 'object') {
    return <LevelTable {...common} value={draft} onSave={onSave} />;
  }
  if (type === 'array') {
    return (
      <TagsInput
        {...common}
        value={Array.isArray(draft) ? draft.map(String) : []}
        onChange={onDraft}
        placeholder="Type and press Enter"
      />
    );
  }
  if (options !== null) {
    return (
      <Select
        {...common}
        data={options}
        value={typeof draft === 'string' ? draft : null}
        clearable={setting.nullable}
        allowDeselect={false}
        onChange={(next) => onSave(next)}
        styles={{ wrapper: { maxWidth: 320 } }}
      />
    );
  }
  if (type === 'integer' || type === 'number') {
    return (
      <NumberInput
        {...common}
        value={typeof draft === 'number' ? draft : ''}
        onChange={(next) => onDraft(next === '' ? null : next)}
        allowDecimal={type === 'number'}
        placeholder={placeholderOf(setting)}
        {...(setting.minimum === null ? {} : { min: setting.minimum })}
        {...(setting.maximum === null ? {} : { max: setting.maximum })}
        styles={{ wrapper: { maxWidth: 200 } }}
      />
    );
  }
  return (
    <TextInput
      {...common}
      value={typeof draft === 'string' ? draft : ''}
      onChange={(event) => onDraft(event.currentTarget.value === '' ? null : event.currentTarget.value)}
      placeholder={setting.secret && draft !== null ? 'Kept, never shown' : placeholderOf(setting)}
    />
  );
}

function placeholderOf({ default: byDefault, allowed }: Setting): string {
  if (byDefault !== null && byDefault !== undefined) return valueText(byDefault);
  return allowed === 'a text' ? 'Not set' : `Not set (${allowed})`;
}

/** A value as a person reads it. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The words of the reference without the marks of Markdown. */
export function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
