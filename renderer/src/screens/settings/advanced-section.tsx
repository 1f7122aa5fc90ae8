/** All settings that have no place of their own, made from what the API says of each. */
import { Accordion, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { groupOf, isPlaced } from './names.ts';
import { Section } from './section.tsx';
import { SettingField } from './setting-field.tsx';
import type { Setting } from './use-settings.ts';

/** Shown in the AWS table without an input, so here with one. */
const HAS_INPUT_HERE = /^aws\./;

export function AdvancedSection({ settings }: { settings: readonly Setting[] }): ReactNode {
  const rest = settings.filter(({ key }) => !isPlaced(key) || HAS_INPUT_HERE.test(key));
  const groups = [...new Set(rest.map(({ key }) => groupOf(key)))];
  return (
    <Section title="Advanced" description="Most people never need these. Each says what it is for.">
      <Accordion variant="separated" multiple order={3}>
        {groups.map((group) => (
          <Accordion.Item key={group} value={idOf(group)}>
            <Accordion.Control>{group}</Accordion.Control>
            <Accordion.Panel>
              <Stack gap="lg">
                {rest
                  .filter(({ key }) => groupOf(key) === group)
                  .map((setting) => (
                    <SettingField key={setting.key} setting={setting} showKey />
                  ))}
              </Stack>
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Section>
  );
}

/** Ids of elements are made from it: they have no spaces. */
function idOf(group: string): string {
  return group.toLowerCase().replaceAll(' ', '-');
}
