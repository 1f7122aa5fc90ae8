/** Search and filters of the list; what they are set to is in the address. */
import { CloseButton, Group, Pill, Select, TextInput, type ComboboxItem } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { RECORDING_LEVELS } from '../../../../agent/base/words.ts';
import { SHOWN_STATES, SHOWN_TIMES } from './filters.ts';

/** Whoever types goes on within this time, in milliseconds. */
const TYPING_MS = 250;

type Change = (change: Record<string, string | null>) => void;

export function RunFilters({ query, change }: { query: URLSearchParams; change: Change }): ReactNode {
  const choice = (name: string, label: string, data: readonly ComboboxItem[], any: string): ReactNode => (
    <Select
      aria-label={label}
      placeholder={any}
      data={[...data]}
      value={query.get(name)}
      onChange={(value) => change({ [name]: value })}
      clearable
      clearButtonProps={{ 'aria-label': `${label}: show all` }}
      style={{ flex: '1 1 120px' }}
      maw={170}
    />
  );
  return (
    <Group gap="xs" mb="sm">
      <Search value={query.get('q') ?? ''} onChange={(q) => change({ q })} />
      {choice('show', 'State', SHOWN_STATES, 'Any state')}
      {choice('days', 'Time', SHOWN_TIMES, 'Any time')}
      {choice('level', 'Recording level', LEVELS, 'Any level')}
      {(['profile', 'script'] as const).map((name) => {
        const value = query.get(name);
        if (value === null) return null;
        return (
          <Pill
            key={name}
            size="md"
            withRemoveButton
            removeButtonProps={{ 'aria-label': `Show every ${name}`, tabIndex: 0 }}
            onRemove={() => change({ [name]: null })}
          >
            {`${name === 'profile' ? 'Profile' : 'Script'}: ${value}`}
          </Pill>
        );
      })}
    </Group>
  );
}

const LEVELS: readonly ComboboxItem[] = RECORDING_LEVELS.map((level) => ({ value: level, label: level }));

function Search({ value, onChange }: { value: string; onChange: (text: string) => void }): ReactNode {
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(onChange, TYPING_MS);
  // The way back, or a link, changes it from outside.
  useEffect(() => setText(value), [value]);
  const set = (next: string): void => {
    setText(next);
    later(next);
  };
  return (
    <TextInput
      type="search"
      aria-label="Search runs"
      placeholder="Script, profile, error or run id"
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={(event) => set(event.currentTarget.value)}
      rightSection={
        text !== '' && <CloseButton size="sm" aria-label="Clear the search" onClick={() => set('')} />
      }
      style={{ flex: '1 1 220px' }}
    />
  );
}
