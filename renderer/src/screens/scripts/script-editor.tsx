/** One script: its text with checks and completion, saving, and running it beside. */
import { Alert, Box, Button, Grid, Group, Menu, Stack, Tabs, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { modals } from '@mantine/modals';
import { notifications } from '@mantine/notifications';
import {
  IconCopy,
  IconDeviceFloppy,
  IconDots,
  IconHistory,
  IconPlayerPlay,
  IconTextWrap,
  IconTrash,
} from '@tabler/icons-react';
import { useRef, useState, type ReactNode } from 'react';
import { navigate } from 'wouter/use-hash-location';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatAgo } from '../../ui/format.ts';
import { PageHeader } from '../../ui/page-header.tsx';
import { BackToScripts } from './back-to-scripts.tsx';
import { NEW_DRAFT, dropDraft, type Draft } from './drafts.ts';
import { CodeEditor, type CodeEditorHandle } from './editor/code-editor.tsx';
import { ProblemsPanel } from './editor/problems-panel.tsx';
import { formatJson, isSameJson } from './format-json.ts';
import { editPath, suggestedName } from './reference.ts';
import { RunPanel } from './run/run-panel.tsx';
import { SaveScript } from './save-script.tsx';
import { useDraft } from './use-draft.ts';
import { useProblems } from './use-problems.ts';
import { useStoring } from './use-storing.ts';
import { Versions } from './versions.tsx';

export function ScriptEditor({
  reference,
  stored,
  draft,
}: {
  /** Null for a script that has no name yet. */
  reference: string | null;
  /** Its text as it is stored. */
  stored: string;
  /** Changes of an earlier time. */
  draft: Draft | null;
}): ReactNode {
  const id = reference ?? NEW_DRAFT;
  const editor = useRef<CodeEditorHandle>(null);
  const [text, setText] = useState(draft?.text ?? stored);
  const [saved, setSaved] = useState(stored);
  const [isEarlier, setIsEarlier] = useState(reference !== null && draft !== null && draft.text !== stored);
  const [stepPath, setStepPath] = useState<string | null>(null);
  const [isNaming, naming] = useDisclosure(false);
  const judgement = useProblems(text);
  const isChanged = text !== saved;
  const keep = useDraft(id, { text, base: saved, isChanged });
  const { save, remove } = useStoring({
    base: saved,
    onSaved: (to, savedText) => {
      keep.forget();
      dropDraft(to);
      setSaved(savedText);
      setIsEarlier(false);
      notifications.show({ message: `“${to}” is saved.` });
      if (to !== reference) navigate(editPath(to));
    },
    onRemoved: () => {
      keep.forget();
      navigate('/scripts');
    },
  });
  const value = readJson(text);
  const saveAs = (to: string): void => {
    naming.close();
    save.mutate({ reference: to, text, isOther: to !== reference });
  };
  const onSave = (): void => {
    if (reference === null) naming.open();
    else if (isChanged) saveAs(reference);
  };
  return (
    <>
      <PageHeader
        above={<BackToScripts />}
        title={reference ?? 'New script'}
        description={
          <span role="status">
            {isChanged
              ? 'Not saved yet. Your changes are kept on this computer while you go on.'
              : 'All changes are saved.'}
          </span>
        }
        actions={
          <>
            <Button
              leftSection={<IconDeviceFloppy size={16} aria-hidden />}
              disabled={!isChanged}
              loading={save.isPending}
              onClick={onSave}
            >
              Save
            </Button>
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" px="xs" aria-label="More for this script">
                  <IconDots size={18} aria-hidden />
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item
                  leftSection={<IconTextWrap size={16} aria-hidden />}
                  disabled={value === undefined}
                  onClick={() => editor.current?.replace(formatJson(value))}
                >
                  Tidy up the text
                </Menu.Item>
                <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={naming.open}>
                  Save as…
                </Menu.Item>
                <Menu.Item
                  color="red"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => {
                    if (reference !== null) askToRemove(reference, () => remove.mutate(reference));
                    else {
                      askToDiscard(() => {
                        keep.forget();
                        navigate('/scripts');
                      });
                    }
                  }}
                >
                  {reference === null ? 'Throw away…' : 'Delete…'}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        }
      />
      <SaveScript
        isOpen={isNaming}
        suggested={reference === null ? suggestedName(nameIn(value)) : reference.split('@')[0]!}
        onClose={naming.close}
        onSave={saveAs}
      />
      <Stack gap="md">
        {isEarlier && draft !== null && (
          <Alert color="yellow" title="These are your changes, not saved yet">
            <Group gap="xs">
              <Text size="sm" maw={560}>
                You made them {formatAgo(draft.at)}.
                {!isSameJson(draft.base, stored) && ' The stored script has been changed by somebody since.'}
              </Text>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  editor.current?.replace(stored);
                  setIsEarlier(false);
                }}
              >
                Go back to the stored text
              </Button>
            </Group>
          </Alert>
        )}
        {save.isError && <ErrorNotice title="The script is not saved" error={save.error} />}
        {remove.isError && <ErrorNotice title="The script is still there" error={remove.error} />}
        <Grid gap="md">
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <Stack gap="xs">
              <Box h="max(320px, calc(100vh - 300px))">
                <CodeEditor
                  ref={editor}
                  initialText={text}
                  label="Text of the script"
                  onChange={setText}
                  onSave={onSave}
                  problems={judgement.problems}
                  stepPath={stepPath}
                />
              </Box>
              <ProblemsPanel
                judgement={judgement}
                onJump={(line, column) => editor.current?.jump(line, column)}
              />
            </Stack>
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Tabs defaultValue="run" keepMounted={false}>
              <Tabs.List mb="sm">
                <Tabs.Tab value="run" leftSection={<IconPlayerPlay size={14} aria-hidden />}>
                  Run
                </Tabs.Tab>
                {reference !== null && (
                  <Tabs.Tab value="versions" leftSection={<IconHistory size={14} aria-hidden />}>
                    Earlier texts
                  </Tabs.Tab>
                )}
              </Tabs.List>
              <Tabs.Panel value="run" keepMounted>
                <RunPanel id={id} text={text} canRun={judgement.isValid} onStep={setStepPath} />
              </Tabs.Panel>
              {reference !== null && (
                <Tabs.Panel value="versions">
                  <Versions
                    reference={reference}
                    text={text}
                    onRestore={(earlier) => editor.current?.replace(earlier)}
                  />
                </Tabs.Panel>
              )}
            </Tabs>
          </Grid.Col>
        </Grid>
      </Stack>
    </>
  );
}

function askToRemove(reference: string, onConfirm: () => void): void {
  modals.openConfirmModal({
    title: `Delete “${reference}”?`,
    children: (
      <Text size="sm">Tasks and scripts that name it fail from then on. The evidence of its runs stays.</Text>
    ),
    labels: { confirm: 'Delete the script', cancel: 'Keep it' },
    confirmProps: { color: 'red' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm,
  });
}

function askToDiscard(onConfirm: () => void): void {
  modals.openConfirmModal({
    title: 'Throw this new script away?',
    children: <Text size="sm">It is not saved anywhere else.</Text>,
    labels: { confirm: 'Throw it away', cancel: 'Keep it' },
    confirmProps: { color: 'red' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm,
  });
}

function nameIn(value: unknown): string {
  const name = (value as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' ? name : '';
}

/** Undefined for what is no JSON yet. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
