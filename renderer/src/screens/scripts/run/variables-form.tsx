import { Checkbox, JsonInput, PasswordInput, Select, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { VariableField, VariableTexts } from '../variables.ts';

/** A field for each variable that the script declares. */
export function VariablesForm({
  fields,
  texts,
  wrong,
  onChange,
}: {
  fields: readonly VariableField[];
  texts: VariableTexts;
  /** Complaints by name. */
  wrong: Readonly<Record<string, string>>;
  onChange: (name: string, text: string) => void;
}): ReactNode {
  return fields.map((field) => (
    <Field
      key={field.name}
      field={field}
      text={texts[field.name] ?? ''}
      error={wrong[field.name]}
      onChange={(text) => onChange(field.name, text)}
    />
  ));
}

function Field({
  field,
  text,
  error,
  onChange,
}: {
  field: VariableField;
  text: string;
  error: string | undefined;
  onChange: (text: string) => void;
}): ReactNode {
  const { name, kind, isRequired, isSecret, defaultText, choices } = field;
  const description = [field.description, field.pattern && `Must match ${field.pattern}`]
    .filter(Boolean)
    .join(' · ');
  const common = {
    label: name,
    description: description === '' ? undefined : description,
    withAsterisk: isRequired,
    required: false,
    'aria-required': isRequired,
    error,
    spellCheck: false,
  };
  const placeholder = isSecret
    ? defaultText === ''
      ? ''
      : 'The default of the script'
    : defaultText === ''
      ? ''
      : `Default: ${defaultText}`;
  if (isSecret) {
    return (
      <PasswordInput
        {...common}
        placeholder={placeholder}
        autoComplete="off"
        value={text}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        visibilityToggleButtonProps={{ 'aria-label': `Show what is written for ${name}` }}
      />
    );
  }
  switch (kind) {
    case 'switch':
      return (
        <Checkbox
          label={name}
          description={common.description}
          error={error}
          checked={text === '' ? defaultText === 'true' : text === 'true'}
          onChange={({ currentTarget }) => onChange(String(currentTarget.checked))}
        />
      );
    case 'choice':
      return (
        <Select
          {...common}
          data={[...new Set(choices)]}
          placeholder={placeholder}
          value={text === '' ? null : text}
          onChange={(value) => onChange(value ?? '')}
          clearable
        />
      );
    case 'json':
      return (
        <JsonInput
          {...common}
          placeholder={placeholder}
          autosize
          minRows={2}
          maxRows={8}
          value={text}
          onChange={onChange}
        />
      );
    default:
      return (
        <TextInput
          {...common}
          placeholder={placeholder}
          inputMode={kind === 'number' ? 'decimal' : 'text'}
          autoComplete="off"
          value={text}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        />
      );
  }
}
