/** What was recorded at one step: the page before and after it, and what it brought. */
import { Alert, Code, Group, List, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { atLeast } from '../../../../agent/base/words.ts';
import type { Shapes } from '../../api/api.ts';
import { PageHtml, Picture, TextEvidence, type Artifact } from './evidence.tsx';

type Detail = Shapes['RunDetail'];
type Step = Detail['steps'][number];

const isPicture = ({ content_type: type }: Artifact): boolean => type.startsWith('image/');
const isHtml = ({ content_type: type }: Artifact): boolean => type.startsWith('text/html');

export function StepEvidence({
  run,
  step,
  artifacts,
}: {
  run: Detail;
  step: Step;
  artifacts: readonly Artifact[];
}): ReactNode {
  const own = artifacts.filter(({ step_number: number }) => number === step.number);
  const failure = isLastFailed(run, step) ? artifacts.filter(({ kind }) => kind.startsWith('failure_')) : [];
  const after = own.find(isPicture) ?? failure.find(isPicture);
  const before = artifacts.findLast(
    (artifact) => isPicture(artifact) && artifact.step_number !== null && artifact.step_number < step.number,
  );
  const html = own.find(isHtml) ?? failure.find(isHtml);
  const data = own.filter(({ kind }) => kind === 'data');
  return (
    <Stack gap="sm">
      <Stack gap={2}>
        <Title order={2} size="h4" className="breakable" lineClamp={3} title={step.name}>
          {step.number}. {step.name}
        </Title>
        <Text size="sm" c="dimmed" className="breakable">
          <Code>{step.action}</Code>
          {step.url !== null && ` on ${step.url}`}
          {step.attempts !== null && step.attempts > 1 && `, ${step.attempts} attempts`}
        </Text>
      </Stack>
      {/* What ended the run is explained above. */}
      {step.error && step.error.message !== run.error?.message && (
        <Alert color="red" title={step.error.advice.title}>
          <Text size="sm" className="breakable">
            {step.error.message}
          </Text>
          <List size="sm" mt={6}>
            {step.error.advice.steps.map((words) => (
              <List.Item key={words}>{words}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      {(before || after) && (
        <SimpleGrid cols={{ base: 1, lg: before && after ? 2 : 1 }}>
          {before && (
            <Labelled label={`Before: after step ${before.step_number}`}>
              <Picture key={before.href} artifact={before} label="The page before this step" />
            </Labelled>
          )}
          {after && (
            <Labelled label={after.step_number === null ? 'When the run failed' : 'After'}>
              <Picture key={after.href} artifact={after} label="The page after this step" />
            </Labelled>
          )}
        </SimpleGrid>
      )}
      {!after && <WhyNoPicture run={run} />}
      {html && (
        <Group>
          <PageHtml key={html.href} artifact={html} label="Show the page as HTML" />
        </Group>
      )}
      {data.map((artifact) => (
        <Labelled key={artifact.href} label="What the step brought">
          <TextEvidence artifact={artifact} label="What the step brought" />
        </Labelled>
      ))}
    </Stack>
  );
}

function Labelled({ label, children }: { label: string; children: ReactNode }): ReactNode {
  return (
    <Stack gap={4}>
      <Text size="xs" c="dimmed" fw={600}>
        {label}
      </Text>
      {children}
    </Stack>
  );
}

function WhyNoPicture({ run: { level, ended_at } }: { run: Detail }): ReactNode {
  const words =
    ended_at === null
      ? 'Its pictures are listed as soon as they are written.'
      : atLeast(level, 'TRACE')
        ? 'There is no picture of this step.'
        : atLeast(level, 'DEBUG')
          ? 'There is no picture of this step: at the recording level DEBUG, key steps have one. TRACE records each step.'
          : `There is no picture of this step: the recording level ${level} takes none of single steps. DEBUG records key steps, TRACE each one.`;
  return (
    <Text size="sm" c="dimmed">
      {words}
    </Text>
  );
}

function isLastFailed(run: Detail, step: Step): boolean {
  return step.error !== null && run.steps.findLast(({ error }) => error !== null)?.number === step.number;
}
