/**
 * The sandbox's half of each AWS service (base/services.ts): how clients speak to it, on what IAM allows its actions,
 * and what it can do.
 */
import { SERVICE_IDS, SERVICES, type IamPrefix } from '../base/services.ts';
import type { Iam } from './iam/iam.ts';
import {
  parameterResources,
  roleResources,
  secretResources,
  stepFunctionsResources,
  userResources,
  type ResourcesOf,
} from './iam/needed.ts';
import type { Operation } from './operation.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import type { StepFunctions } from './sfn/service.ts';
import { createSsm } from './ssm.ts';
import type { Sts } from './sts.ts';

/** JSON 1.0 or 1.1: a POST whose `X-Amz-Target` is the target, a dot and the operation. */
export interface JsonProtocol {
  kind: 'json';
  target: string;
  contentType: 'application/x-amz-json-1.0' | 'application/x-amz-json-1.1';
  /** What the service puts before an error's name; clients read what follows the `#`. */
  errorNamespace: string;
}

/** A form with `Action` and `Version`; answers are XML. */
export interface QueryProtocol {
  kind: 'query';
  version: string;
}

/** What operations are made of. */
export interface Parts {
  records: Records;
  accountId: string;
  sfn: StepFunctions;
  secrets: Secrets;
  sts: Sts;
  iam: Iam;
}

interface OperationService {
  protocol: JsonProtocol | QueryProtocol;
  /** On what IAM allows an operation. */
  resourcesOf: ResourcesOf;
  operations: (parts: Parts) => Record<string, Operation>;
}

/** S3 has paths and verbs instead of named operations: s3.ts, and neededForS3 of iam/needed.ts. */
interface S3Service {
  protocol: { kind: 's3' };
}

/** Null: the sandbox has nothing in its place, and says so to who asks. */
export const STAND_INS = {
  states: {
    protocol: {
      kind: 'json',
      target: 'AWSStepFunctions',
      contentType: 'application/x-amz-json-1.0',
      errorNamespace: 'com.amazonaws.swf.service.v2.model#',
    },
    resourcesOf: stepFunctionsResources,
    operations: ({ sfn }) => sfn.operations,
  },
  s3: { protocol: { kind: 's3' } },
  ssm: {
    protocol: {
      kind: 'json',
      target: 'AmazonSSM',
      contentType: 'application/x-amz-json-1.1',
      errorNamespace: '',
    },
    resourcesOf: parameterResources,
    operations: ({ records, accountId }) => createSsm(records, accountId),
  },
  secretsmanager: {
    protocol: {
      kind: 'json',
      target: 'secretsmanager',
      contentType: 'application/x-amz-json-1.1',
      errorNamespace: '',
    },
    resourcesOf: secretResources,
    operations: ({ secrets }) => secrets.operations,
  },
  sts: {
    protocol: { kind: 'query', version: '2011-06-15' },
    resourcesOf: roleResources,
    operations: ({ sts }) => sts.operations,
  },
  iam: {
    protocol: { kind: 'query', version: '2010-05-08' },
    resourcesOf: userResources,
    operations: ({ iam }) => iam.operations,
  },
} satisfies Record<IamPrefix, OperationService | S3Service | null>;

/** Services with named operations. */
export type OperationServiceName = {
  [Name in keyof typeof STAND_INS]: (typeof STAND_INS)[Name] extends OperationService ? Name : never;
}[keyof typeof STAND_INS];

export type Operations = Record<OperationServiceName, Record<string, Operation>>;

const TABLE: Record<IamPrefix, OperationService | S3Service | null> = STAND_INS;
const NAMES = SERVICE_IDS.map((id) => SERVICES[id].iamPrefix);

/** Whether the sandbox has something in the place of a service. */
export function isStandIn(name: string): boolean {
  return NAMES.some((each) => each === name && TABLE[each] !== null);
}

export function operationsOf(parts: Parts): Operations {
  const entries = NAMES.filter(hasOperations).map((name) => [name, STAND_INS[name].operations(parts)]);
  return Object.fromEntries(entries) as Operations;
}

/** The service whose protocol fits, e.g. by the target of a request. */
export function serviceBy(
  fits: (protocol: JsonProtocol | QueryProtocol) => boolean,
): OperationServiceName | undefined {
  return NAMES.filter(hasOperations).find((name) => fits(STAND_INS[name].protocol));
}

/** JSON services name their errors with `Exception`; the others speak XML. */
export function speaksJson(name: IamPrefix): boolean {
  return TABLE[name]?.protocol.kind === 'json';
}

function hasOperations(name: IamPrefix): name is OperationServiceName {
  const service = TABLE[name];
  return service !== null && 'operations' in service;
}
