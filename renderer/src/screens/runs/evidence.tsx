/** Single pieces of evidence. They come from websites: nothing of them may run or load here. */
import { Alert, Button, Center, Loader, Modal, ScrollArea, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import type { Shapes } from '../../api/api.ts';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { isGone, useEvidenceBlob, useEvidenceText, useObjectUrl } from '../../ui/use-evidence.ts';

export type Artifact = Shapes['Artifact'];

/** As much of a recorded text is shown at once, in characters; the rest is in the file. */
const MAX_TEXT = 200_000;

/** A picture that opens in full size. */
export function Picture({ artifact, label }: { artifact: Artifact; label: string }): ReactNode {
  const { data, error } = useEvidenceBlob(artifact.href);
  const url = useObjectUrl(data);
  const [isLarge, large] = useDisclosure(false);
  if (error) return <Missing artifact={artifact} error={error} />;
  if (url === null) return <Coming />;
  return (
    <>
      <UnstyledButton onClick={large.open} aria-label={`${label}: show large`} w="100%">
        <img
          src={url}
          alt={label}
          style={{
            display: 'block',
            width: '100%',
            maxHeight: 420,
            objectFit: 'cover',
            objectPosition: 'top',
            border: '1px solid var(--mantine-color-default-border)',
            borderRadius: 'var(--mantine-radius-sm)',
          }}
        />
      </UnstyledButton>
      <Modal
        opened={isLarge}
        onClose={large.close}
        title={label}
        size="90%"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <img src={url} alt={label} style={{ maxWidth: '100%' }} />
      </Modal>
    </>
  );
}

export function Video({ artifact, label }: { artifact: Artifact; label: string }): ReactNode {
  const { data, error } = useEvidenceBlob(artifact.href);
  const url = useObjectUrl(data);
  if (error) return <Missing artifact={artifact} error={error} />;
  if (url === null) return <Coming />;
  return (
    // A recording of a page has no speech.
    // oxlint-disable-next-line jsx-a11y/media-has-caption
    <video
      src={url}
      controls
      aria-label={label}
      style={{ width: '100%', borderRadius: 'var(--mantine-radius-sm)' }}
    />
  );
}

/** The page as it was, and nothing of it alive. */
export function PageHtml({ artifact, label }: { artifact: Artifact; label: string }): ReactNode {
  const [isOpen, { open, close }] = useDisclosure(false);
  const { data, error } = useEvidenceText(isOpen ? artifact.href : null);
  return (
    <>
      <Button variant="default" size="xs" onClick={open}>
        {label}
      </Button>
      <Modal
        opened={isOpen}
        onClose={close}
        title={label}
        size="90%"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Text size="sm" c="dimmed" mb="xs">
          The page as it was recorded. Scripts, links and everything from the network are switched off.
        </Text>
        {error && <Missing artifact={artifact} error={error} />}
        {data === undefined && !error && <Coming />}
        {data !== undefined && (
          <iframe
            sandbox=""
            srcDoc={data}
            title={label}
            style={{ width: '100%', height: '65vh', border: 0, background: 'white' }}
          />
        )}
      </Modal>
    </>
  );
}

/** Text of a file, e.g. JSON. */
export function TextEvidence({ artifact, label }: { artifact: Artifact; label: string }): ReactNode {
  const { data, error } = useEvidenceText(artifact.href);
  if (error) return <Missing artifact={artifact} error={error} />;
  if (data === undefined) return <Coming />;
  return <TextBlock text={data} label={label} />;
}

export function TextBlock({ text, label }: { text: string; label: string }): ReactNode {
  return (
    <ScrollArea.Autosize mah={420} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': label }}>
      <Text
        component="pre"
        ff="monospace"
        size="xs"
        m={0}
        p="xs"
        className="breakable"
        bg="var(--mantine-color-default-hover)"
        style={{ whiteSpace: 'pre-wrap' }}
      >
        {text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}\n… The rest is in the file.` : text}
      </Text>
    </ScrollArea.Autosize>
  );
}

function Missing({ artifact, error }: { artifact: Artifact; error: unknown }): ReactNode {
  if (!isGone(error)) return <ErrorNotice title="It cannot be shown" error={error} />;
  const isInS3 = artifact.upload?.state === 'done';
  return (
    <Alert color="gray" title={isInS3 ? 'Only in S3' : 'Not kept any more'}>
      {isInS3
        ? 'It was uploaded to S3 and then removed from this machine, as the setting “keep level” says.'
        : 'It was removed from this machine: the settings say how long, and how much, is kept.'}
    </Alert>
  );
}

function Coming(): ReactNode {
  return (
    <Center mih={120} role="status" aria-label="Loading">
      <Loader size="sm" />
    </Center>
  );
}
