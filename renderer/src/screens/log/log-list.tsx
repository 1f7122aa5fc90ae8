/** The lines, thousands of them: only what is in sight is on the page. Each opens to all that it has. */
import { Anchor, Box, Button, Code, CopyButton, Group, Text, UnstyledButton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Link } from 'wouter';
import classes from './log-list.module.css';
import type { LogLine } from './use-log.ts';

const LINE_HEIGHT_PX = 24;

/** Keys that leave the end of the log. */
const UPWARDS: ReadonlySet<string> = new Set(['ArrowUp', 'PageUp', 'Home']);

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export function LogList({
  lines,
  isFollowing,
  onPause,
}: {
  lines: readonly LogLine[];
  /** New lines are scrolled into sight. */
  isFollowing: boolean;
  /** A person looks at something. */
  onPause: () => void;
}): ReactNode {
  const scroll = useRef<HTMLDivElement>(null);
  const [opened, setOpened] = useState<ReadonlySet<number>>(new Set());
  // No compiler memoizes here, and nothing that is memoized gets its functions.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_HEIGHT_PX,
    getItemKey: (index) => lines[index]?.id ?? index,
    overscan: 20,
  });
  const last = lines.at(-1)?.id;
  useEffect(() => {
    const element = scroll.current;
    if (isFollowing && element) element.scrollTop = element.scrollHeight;
  }, [isFollowing, last]);
  useEffect(() => {
    const element = scroll.current;
    if (!element) return undefined;
    const onWheel = ({ deltaY }: WheelEvent): void => {
      if (deltaY < 0) onPause();
    };
    const onKey = ({ key }: KeyboardEvent): void => {
      if (UPWARDS.has(key)) onPause();
    };
    element.addEventListener('wheel', onWheel, { passive: true });
    element.addEventListener('touchmove', onPause, { passive: true });
    element.addEventListener('keydown', onKey);
    return () => {
      element.removeEventListener('wheel', onWheel);
      element.removeEventListener('touchmove', onPause);
      element.removeEventListener('keydown', onKey);
    };
  }, [onPause]);
  const toggle = (id: number): void => {
    onPause();
    setOpened((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  };
  return (
    <div
      ref={scroll}
      className={classes['scroll']}
      role="region"
      aria-label="Lines of the log"
      // What scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
    >
      <div role="list" style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index];
          if (!line) return null;
          return (
            <div
              key={key}
              role="listitem"
              data-index={index}
              ref={rows.measureElement}
              style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${start}px)` }}
            >
              <Line line={line} isOpen={opened.has(line.id)} onToggle={() => toggle(line.id)} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Line({
  line,
  isOpen,
  onToggle,
}: {
  line: LogLine;
  isOpen: boolean;
  onToggle: () => void;
}): ReactNode {
  const { time, level, message } = line;
  return (
    <>
      <UnstyledButton className={classes['line']} aria-expanded={isOpen} onClick={onToggle}>
        <Text span inherit c="dimmed">
          {clock.format(new Date(time))}
        </Text>
        <span className={classes['level']} data-level={level}>
          {level}
        </span>
        <span className={classes['message']}>{message}</span>
      </UnstyledButton>
      {isOpen && <Details line={line} />}
    </>
  );
}

function Details({ line: { id: _id, ...line } }: { line: LogLine }): ReactNode {
  const text = JSON.stringify(line, null, 2);
  return (
    <Box px="sm" pb="sm">
      <Code block className="breakable" style={{ whiteSpace: 'pre-wrap' }}>
        {text}
      </Code>
      <Group gap="md" mt={4}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button size="compact-xs" variant="default" onClick={copy}>
              {copied ? 'Copied' : 'Copy this line'}
            </Button>
          )}
        </CopyButton>
        {line.run_id !== null && (
          <>
            <Anchor component={Link} href={`/runs/${line.run_id}`} size="xs">
              Open the run
            </Anchor>
            <Anchor component={Link} href={`/log?run_id=${line.run_id}`} size="xs">
              Only lines of this run
            </Anchor>
          </>
        )}
      </Group>
    </Box>
  );
}
