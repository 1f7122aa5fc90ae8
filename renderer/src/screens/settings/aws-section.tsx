/** How the agent reaches AWS; what is there is changed with the wizard, or by hand. */
import { Anchor, Button, Group, Table, Text } from '@mantine/core';
import { IconCloudDownload, IconWand } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { nameOf, PLACED } from './names.ts';
import { Section } from './section.tsx';
import { valueText } from './setting-field.tsx';
import { provenanceOf, type Setting } from './use-settings.ts';

export function AwsSection({ find }: { find: (key: string) => Setting | undefined }): ReactNode {
  const rows = PLACED.aws.flatMap((key) => find(key) ?? []);
  const isSandbox = find('sandbox.enabled')?.value === true;
  return (
    <Section
      title="AWS"
      description={
        isSandbox
          ? 'The agent works without AWS: on a stand-in inside itself. Run the setup again to connect it to AWS.'
          : 'Where tasks come from and where evidence goes. The setup finds these values; they can also be set by hand under “Advanced”.'
      }
    >
      <Table.ScrollContainer
        minWidth={460}
        type="native"
        tabIndex={0}
        role="region"
        aria-label="AWS configuration, scrolls"
      >
        <Table aria-label="AWS configuration" verticalSpacing={6} layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="30%">What</Table.Th>
              <Table.Th w="35%">Value</Table.Th>
              <Table.Th>Where it comes from</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((setting) => (
              <Table.Tr key={setting.key}>
                <Table.Td>{nameOf(setting.key)}</Table.Td>
                <Table.Td className="breakable">
                  {setting.value === null ? (
                    <Text size="sm" c="dimmed">
                      Not set
                    </Text>
                  ) : (
                    valueText(setting.value)
                  )}
                </Table.Td>
                <Table.Td>
                  <Text size="xs" c="dimmed" className="breakable">
                    {provenanceOf(setting).words}
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Group gap="xs">
        <Button
          component={Link}
          href="/setup?step=fetch"
          variant="default"
          leftSection={<IconCloudDownload size={16} aria-hidden />}
        >
          Fetch AWS configuration again
        </Button>
        <Button
          component={Link}
          href="/setup?step=start"
          variant="default"
          leftSection={<IconWand size={16} aria-hidden />}
        >
          Run the setup again
        </Button>
      </Group>
      <Text size="sm" c="dimmed">
        Something does not work? The{' '}
        <Anchor component={Link} href="/setup?step=checks">
          checks of the setup
        </Anchor>{' '}
        say what, and how to mend it.
      </Text>
    </Section>
  );
}
