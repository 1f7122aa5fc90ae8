/** The door to the sandbox: everything outside this folder imports from here. */
export { startSandbox, SANDBOX_ACCOUNT_ID, type Sandbox, type SandboxOptions } from './sandbox.ts';
export type { LoggedRequest, RequestLog, ServiceName } from './requests.ts';
export type { FaultRule, Faults } from './faults.ts';
export type { Identity, SandboxIam } from './iam/iam.ts';
export type { PolicyText } from './iam/policy.ts';
export type { Execution, ExecutionStatus } from './sfn/executions.ts';
export { seedEnvironment, type SeededEnvironment } from './seed.ts';
export { startPortal, PORTAL_USER, type Portal, type PortalOptions } from './portal/portal.ts';
