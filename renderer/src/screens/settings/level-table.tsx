/** Recording levels by name, e.g. by environment: a small table that is saved with each change. */
import { ActionIcon, Button, Group, Input, Select, Stack, Table, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { RECORDING_LEVELS } from '../../../../agent/base/words.ts';

export function LevelTable({
  label,
  description,
  disabled,
  value,
  onSave,
}: {
  label: string;
  description: string;
  disabled: boolean;
  /** Level by name. */
  value: unknown;
  onSave: (value: Record<string, unknown>) => void;
}): ReactNode {
  const levels = (value ?? {}) as Record<string, string>;
  const rows = Object.entries(levels);
  const [name, setName] = useState('');
  const [level, setLevel] = useState<string>('INFO');
  const trimmed = name.trim();
  const isTaken = Object.hasOwn(levels, trimmed);
  const add = (): void => {
    if (trimmed === '' || isTaken) return;
    onSave({ ...levels, [trimmed]: level });
    setName('');
  };
  return (
    <Input.Wrapper label={label} description={description} labelElement="div" maw={640}>
      <Stack gap="xs" mt="xs">
        {rows.length > 0 && (
          <Table withTableBorder aria-label={label} verticalSpacing={4}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th w={150}>Level</Table.Th>
                <Table.Th w={50} aria-label="Remove" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(([name, level]) => (
                <Table.Tr key={name}>
                  <Table.Td className="breakable">{name}</Table.Td>
                  <Table.Td>
                    <Select
                      aria-label={`Level of ${name}`}
                      size="xs"
                      data={[...RECORDING_LEVELS]}
                      value={level}
                      disabled={disabled}
                      allowDeselect={false}
                      onChange={(next) => onSave({ ...levels, [name]: next })}
                    />
                  </Table.Td>
                  <Table.Td>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      disabled={disabled}
                      aria-label={`Remove ${name}`}
                      onClick={() => onSave(Object.fromEntries(rows.filter(([each]) => each !== name)))}
                    >
                      <IconTrash size={16} aria-hidden />
                    </ActionIcon>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
        {!disabled && (
          <Group gap="xs" align="flex-start">
            <TextInput
              aria-label={`${label}: name`}
              placeholder="Name"
              size="xs"
              maxLength={80}
              value={name}
              error={isTaken ? 'Is in the table already' : null}
              onChange={(event) => setName(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter') return;
                event.preventDefault();
                add();
              }}
            />
            <Select
              aria-label={`${label}: level`}
              size="xs"
              w={110}
              data={[...RECORDING_LEVELS]}
              value={level}
              allowDeselect={false}
              onChange={(next) => setLevel(next ?? 'INFO')}
            />
            <Button size="xs" variant="default" disabled={trimmed === '' || isTaken} onClick={add}>
              Add
            </Button>
          </Group>
        )}
      </Stack>
    </Input.Wrapper>
  );
}
