import { hostname } from 'node:os';
import type { Settings } from './schema.ts';

/** Name of this agent, for Step Functions, manifests and telemetry: the setting, else the name of the machine. */
export function agentName(worker: Pick<Settings['worker'], 'name'>): string {
  return worker.name ?? hostname();
}
