/** The list of runs, however long: only the rows in view are there. Arrow and page keys move, Enter opens. */
import { Skeleton, Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { Shapes } from '../../api/api.ts';
import { navigate } from '../../location.ts';
import { LevelBadge, stateLabel, StateBadge } from '../../ui/badges.tsx';
import { ErrorNotice } from '../../ui/error-notice.tsx';
import { formatDuration, formatFullTime, formatTime } from '../../ui/format.ts';
import type { RunFilter } from './filters.ts';
import styles from './run-list.module.css';
import { useRunPages } from './use-run-pages.ts';

/** All rows are as high, in CSS pixels: so the place of each is known before it has come. */
const ROW_PX = 54;
/** Rows beside those in view that are there already. */
const OVERSCAN_ROWS = 8;
/** The head stands over the first rows, in CSS pixels. */
const HEAD_PX = 36;

const COLUMNS: readonly { label: string; className?: string | undefined }[] = [
  { label: 'State', className: styles['middleOnly'] },
  { label: 'Script' },
  { label: 'Profile', className: styles['wideOnly'] },
  { label: 'Level', className: styles['wideOnly'] },
  { label: 'Started' },
  { label: 'Took', className: styles['middleOnly'] },
];

/** Where somebody was in the list, by its filter: whoever comes back from a run finds it as it was. */
const places = new Map<string, { offsetPx: number; active: number }>();

export function RunList({ filter, total }: { filter: RunFilter; total: number }): ReactNode {
  const key = JSON.stringify(filter);
  const grid = useRef<HTMLDivElement>(null);
  const [place] = useState(() => places.get(key));
  const [active, setActive] = useState(Math.min(place?.active ?? 0, total - 1));
  const id = useId();
  // No compiler memoizes here, and nothing that is memoized gets its functions.
  // oxlint-disable-next-line react/incompatible-library
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => grid.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN_ROWS,
    initialOffset: place?.offsetPx ?? 0,
    scrollMargin: HEAD_PX,
    scrollPaddingStart: HEAD_PX,
  });
  const items = rows.getVirtualItems();
  const pages = useRunPages(filter, { first: items[0]?.index ?? 0, last: items.at(-1)?.index ?? 0 });

  useEffect(() => {
    places.set(key, { offsetPx: rows.scrollOffset ?? 0, active });
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const perPage = Math.max(1, Math.floor((grid.current?.clientHeight ?? 0) / ROW_PX) - 1);
    const moves: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + perPage,
      PageUp: active - perPage,
      Home: 0,
      End: total - 1,
    };
    const wanted = moves[event.key];
    if (wanted !== undefined) {
      event.preventDefault();
      const next = Math.max(0, Math.min(total - 1, wanted));
      setActive(next);
      rows.scrollToIndex(next);
      return;
    }
    const run = event.key === 'Enter' ? pages.runAt(active) : undefined;
    if (run) navigate(`/runs/${run.run_id}`);
  };

  if (pages.error !== null && pages.runAt(items[0]?.index ?? 0) === undefined) {
    return <ErrorNotice title="The runs cannot be listed" error={pages.error} onRetry={pages.retry} />;
  }
  const isInView = items.some(({ index }) => index === active);
  return (
    <div
      ref={grid}
      className={styles['grid']}
      role="grid"
      aria-label="Runs"
      aria-rowcount={total + 1}
      aria-colcount={COLUMNS.length}
      aria-activedescendant={isInView ? `${id}-${active}` : undefined}
      // The rows are not in the order of Tab: a list of a hundred thousand stops would be no way out.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className={styles['head']}>
        <div role="row" aria-rowindex={1} className={styles['row']} style={{ height: '100%' }}>
          {COLUMNS.map(({ label, className }) => (
            <div key={label} role="columnheader" className={className}>
              {label}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={styles['body']} style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, start }) => (
          <Row
            key={index}
            id={`${id}-${index}`}
            index={index}
            topPx={start - HEAD_PX}
            isActive={index === active}
            run={pages.runAt(index)}
            onChoose={setActive}
          />
        ))}
      </div>
    </div>
  );
}

/** Most rows stay as they are when the list moves by one. */
const Row = memo(RowLine);

function RowLine({
  id,
  index,
  topPx,
  isActive,
  run,
  onChoose,
}: {
  id: string;
  index: number;
  topPx: number;
  isActive: boolean;
  run: Shapes['Run'] | undefined;
  onChoose: (index: number) => void;
}): ReactNode {
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isActive}
      className={`${styles['row']} ${styles['line']} ${isActive ? styles['active'] : ''}`}
      style={{ height: ROW_PX, transform: `translateY(${topPx}px)` }}
    >
      {run ? <Cells run={run} onOpen={() => onChoose(index)} /> : <Coming />}
    </div>
  );
}

function Cells({ run, onOpen }: { run: Shapes['Run']; onOpen: () => void }): ReactNode {
  const begun = run.started_at ?? run.queued_at;
  return (
    <>
      <div role="gridcell" className={styles['middleOnly']}>
        <StateBadge run={run} />
      </div>
      <div role="gridcell">
        <Link href={`/runs/${run.run_id}`} className={styles['name']} tabIndex={-1} onClick={onOpen}>
          {run.script_name}
        </Link>
        <div className={styles['note']}>
          <span className={styles['narrowOnly']}>{stateLabel(run.state)}</span>
          <span className={styles['middleOnly']}>
            {run.error?.message ?? `Run ${run.run_id.slice(0, 8)}`}
          </span>
        </div>
      </div>
      <div role="gridcell" className={`${styles['wideOnly']} ${styles['note']}`}>
        {run.profile ?? '–'}
      </div>
      <div role="gridcell" className={styles['wideOnly']}>
        <LevelBadge level={run.level} />
      </div>
      <div role="gridcell" className={styles['note']} title={formatFullTime(begun)}>
        {formatTime(begun)}
      </div>
      <div role="gridcell" className={`${styles['middleOnly']} numbers`}>
        <Text size="sm">{durationOf(run)}</Text>
      </div>
    </>
  );
}

function Coming(): ReactNode {
  return COLUMNS.map(({ label, className }) => (
    <div key={label} role="gridcell" className={className}>
      <Skeleton height={10} width="70%" animate={false} />
    </div>
  ));
}

function durationOf({ started_at, ended_at }: Shapes['Run']): string {
  if (started_at === null || ended_at === null) return '–';
  return formatDuration(Date.parse(ended_at) - Date.parse(started_at));
}
