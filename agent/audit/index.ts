export {
  AuditLog,
  type AuditEntry,
  type AuditResult,
  type KnownHead,
  type NewAuditEntry,
  type Verification,
} from './log.ts';
export { headOfManifest, knownHeads, MANIFEST_FIELD } from './heads.ts';
export { AgentTrail } from './agent-trail.ts';
export { auditRuns } from './trail.ts';
