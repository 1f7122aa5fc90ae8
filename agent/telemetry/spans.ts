/** A span for each run, from when it was asked for, and one below it for each step. */
import { ROOT_CONTEXT, SpanStatusCode, trace, type Span, type Tracer } from '@opentelemetry/api';
import type { EventBus } from '../base/events.ts';
import { redactText } from '../base/log.ts';

/** Texts beyond this are cut, in characters: an error's message may quote a page. */
const MAX_TEXT = 1_000;

interface OpenRun {
  span: Span;
  steps: Map<number, Span>;
}

/** @returns a function that ends it; spans that are open then end with it */
export function traceRuns(events: EventBus, tracer: Tracer): () => void {
  const open = new Map<string, OpenRun>();
  const unsubscribe = events.on('traces', (event) => {
    if (event.type === 'run.queued') {
      const span = tracer.startSpan('run', {
        root: true,
        attributes: {
          'browser_agent.run_id': event.runId,
          'browser_agent.script': clean(event.scriptName),
          ...(event.taskId === undefined ? {} : { 'browser_agent.task_id': event.taskId }),
        },
      });
      open.set(event.runId, { span, steps: new Map() });
      return;
    }
    const run = 'runId' in event ? open.get(event.runId) : undefined;
    if (!run) return;
    const { span, steps } = run;
    switch (event.type) {
      case 'run.started':
        span.addEvent('started');
        span.setAttributes({
          'browser_agent.script': clean(event.scriptName),
          'browser_agent.level': event.level.level,
          ...(event.profile === null ? {} : { 'browser_agent.profile': clean(event.profile) }),
        });
        break;
      case 'step.started': {
        const { stepNumber, action, name } = event;
        const attributes = {
          'browser_agent.run_id': event.runId,
          'browser_agent.step': stepNumber,
          'browser_agent.step_name': clean(name),
          'browser_agent.action': action,
        };
        const within = trace.setSpan(ROOT_CONTEXT, span);
        steps.set(stepNumber, tracer.startSpan(`step ${action}`, { attributes }, within));
        break;
      }
      case 'step.finished': {
        const step = steps.get(event.stepNumber);
        steps.delete(event.stepNumber);
        if (step) end(step, event.success ? 'ok' : 'failed', event.error);
        break;
      }
      case 'human.requested':
      case 'human.resolved':
        span.addEvent(event.type);
        break;
      case 'run.finished': {
        open.delete(event.runId);
        for (const step of steps.values()) step.end();
        const { errorName, message = '' } = event;
        end(span, event.state, errorName === undefined ? undefined : { name: errorName, message });
        break;
      }
      default:
        break;
    }
  });
  return () => {
    unsubscribe();
    for (const { span, steps } of open.values()) {
      for (const step of steps.values()) step.end();
      span.end();
    }
    open.clear();
  };
}

function end(span: Span, outcome: string, error: { name: string; message: string } | undefined): void {
  span.setAttribute('browser_agent.outcome', outcome);
  if (error) {
    span.setAttribute('error.type', clean(error.name));
    span.setStatus({ code: SpanStatusCode.ERROR, message: clean(error.message) });
  }
  span.end();
}

/** Without secrets, as in a log line. */
function clean(text: string): string {
  return redactText(text).slice(0, MAX_TEXT);
}
