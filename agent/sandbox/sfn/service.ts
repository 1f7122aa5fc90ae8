/** The Step Functions API (AWSStepFunctions, JSON 1.0): what of it an activity worker and its tests meet. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ServiceError, validationError } from '../errors.ts';
import { operation, paginate, seconds, type Operation } from '../operation.ts';
import type { Records } from '../records.ts';
import { ActivityTasks } from './activities.ts';
import { checkDefinition } from './definition.ts';
import { Executions, newExecutionName, type Execution, type StateMachineRecord } from './executions.ts';
import { MAX_PAYLOAD_BYTES } from './interpreter.ts';
import { checkArn, checkName } from './names.ts';

interface ActivityRecord {
  activityArn: string;
  name: string;
  creationDate: number;
  tags: Record<string, string>;
}

export interface StepFunctions {
  operations: Record<string, Operation>;
  executions: Executions;
  tasks: ActivityTasks;
  close(): void;
}

// Lengths as in the API reference.
const MAX_NAME_LENGTH = 80;
const MAX_ARN_LENGTH = 256;
const MAX_TOKEN_LENGTH = 2048;
const MAX_ERROR_LENGTH = 256;
const MAX_CAUSE_LENGTH = 32_768;
const MAX_DEFINITION_LENGTH = 1_048_576;
const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

const arn = z.string().min(1).max(MAX_ARN_LENGTH);
const token = z.string().min(1).max(MAX_TOKEN_LENGTH);
const name = z.string().min(1).max(MAX_NAME_LENGTH);
const tagList = z.array(z.object({ key: z.string(), value: z.string() })).default([]);
const page = {
  maxResults: z.number().int().min(0).max(MAX_PAGE).default(0),
  nextToken: z.string().optional(),
};
const status = z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']);

export function createStepFunctions(options: {
  records: Records;
  accountId: string;
  tokenKey: Buffer;
  pollMs?: number;
}): StepFunctions {
  const activities = options.records.collection<ActivityRecord>('activity');
  const machines = options.records.collection<StateMachineRecord>('state-machine');
  const tasks = new ActivityTasks(options.tokenKey, options.pollMs);
  const executions = new Executions(
    options.records.collection<Execution>('execution'),
    tasks,
    (activityArn) => activities.has(activityArn),
  );
  const arnOf = (region: string, kind: string, resourceName: string): string =>
    `arn:aws:states:${region}:${options.accountId}:${kind}:${resourceName}`;

  const activity = (activityArn: string): ActivityRecord => {
    checkArn(activityArn, 'activity');
    const found = activities.get(activityArn);
    if (!found) throw new ServiceError('ActivityDoesNotExist', `Activity Does Not Exist: '${activityArn}'`);
    return found;
  };
  const machine = (stateMachineArn: string): StateMachineRecord => {
    checkArn(stateMachineArn, 'stateMachine');
    const found = machines.get(stateMachineArn);
    if (!found) {
      throw new ServiceError(
        'StateMachineDoesNotExist',
        `State Machine Does Not Exist: '${stateMachineArn}'`,
      );
    }
    return found;
  };
  const tagged = (resourceArn: string): { tags: Record<string, string>; save(): void } => {
    const foundActivity = activities.get(resourceArn);
    if (foundActivity) {
      return { tags: foundActivity.tags, save: () => activities.put(resourceArn, foundActivity) };
    }
    const foundMachine = machines.get(resourceArn);
    if (foundMachine) return { tags: foundMachine.tags, save: () => machines.put(resourceArn, foundMachine) };
    throw new ServiceError('ResourceNotFound', `Resource not found: '${resourceArn}'`, 400, {
      resourceName: resourceArn,
    });
  };

  const operations: Record<string, Operation> = {
    CreateActivity: operation(
      z.object({ name, tags: tagList }),
      (input, { caller }) => {
        checkName(input.name);
        const activityArn = arnOf(caller.region, 'activity', input.name);
        const existing = activities.get(activityArn);
        if (existing) return { activityArn, creationDate: existing.creationDate };
        const creationDate = seconds(Date.now());
        activities.put(activityArn, {
          activityArn,
          name: input.name,
          creationDate,
          tags: toTags(input.tags),
        });
        return { activityArn, creationDate };
      },
      'name',
    ),
    DeleteActivity: operation(
      z.object({ activityArn: arn }),
      (input) => {
        checkArn(input.activityArn, 'activity');
        activities.delete(input.activityArn);
        return {};
      },
      'activityArn',
    ),
    DescribeActivity: operation(
      z.object({ activityArn: arn }),
      (input) => {
        const { tags: _tags, ...rest } = activity(input.activityArn);
        return rest;
      },
      'activityArn',
    ),
    ListActivities: operation(z.object(page), (input) => {
      const { page: found, nextToken } = pageOf(activities.all(), input);
      return { activities: found.map(({ tags: _tags, ...rest }) => rest), nextToken };
    }),
    GetActivityTask: operation(
      z.object({ activityArn: arn, workerName: name.optional() }),
      async (input, { signal }) => {
        activity(input.activityArn);
        return (await tasks.poll(input.activityArn, input.workerName, signal)) ?? {};
      },
      'activityArn',
    ),
    SendTaskSuccess: operation(
      z.object({ taskToken: token, output: z.string().max(MAX_PAYLOAD_BYTES) }),
      (input) => {
        if (!isJson(input.output)) {
          throw new ServiceError('InvalidOutput', "Invalid Output: 'The output is not valid JSON'");
        }
        tasks.end(input.taskToken, { kind: 'succeeded', output: input.output });
        return {};
      },
    ),
    SendTaskFailure: operation(
      z.object({
        taskToken: token,
        error: z.string().max(MAX_ERROR_LENGTH).optional(),
        cause: z.string().max(MAX_CAUSE_LENGTH).optional(),
      }),
      (input) => {
        tasks.end(input.taskToken, {
          kind: 'failed',
          ...(input.error === undefined ? {} : { error: input.error }),
          ...(input.cause === undefined ? {} : { cause: input.cause }),
        });
        return {};
      },
    ),
    SendTaskHeartbeat: operation(z.object({ taskToken: token }), (input) => {
      tasks.heartbeat(input.taskToken);
      return {};
    }),
    CreateStateMachine: operation(
      z.object({
        name,
        definition: z.string().min(1).max(MAX_DEFINITION_LENGTH),
        roleArn: arn,
        type: z.enum(['STANDARD', 'EXPRESS']).default('STANDARD'),
        tags: tagList,
      }),
      (input, { caller }) => {
        checkName(input.name);
        if (input.type === 'EXPRESS') {
          throw validationError([
            "Value 'EXPRESS' at 'type' failed to satisfy constraint: the sandbox runs STANDARD state machines only (activities need them)",
          ]);
        }
        requireValid(input.definition);
        const stateMachineArn = arnOf(caller.region, 'stateMachine', input.name);
        const existing = machines.get(stateMachineArn);
        if (existing) {
          if (existing.definition === input.definition && existing.roleArn === input.roleArn) {
            return { stateMachineArn, creationDate: existing.creationDate };
          }
          throw new ServiceError(
            'StateMachineAlreadyExists',
            `State Machine Already Exists: '${stateMachineArn}'`,
          );
        }
        const creationDate = seconds(Date.now());
        machines.put(stateMachineArn, {
          stateMachineArn,
          name: input.name,
          definition: input.definition,
          roleArn: input.roleArn,
          type: 'STANDARD',
          creationDate,
          updateDate: creationDate,
          revisionId: randomUUID(),
          tags: toTags(input.tags),
        });
        return { stateMachineArn, creationDate };
      },
      'name',
    ),
    UpdateStateMachine: operation(
      z.object({
        stateMachineArn: arn,
        definition: z.string().min(1).max(MAX_DEFINITION_LENGTH).optional(),
        roleArn: arn.optional(),
      }),
      (input) => {
        const found = machine(input.stateMachineArn);
        if (input.definition === undefined && input.roleArn === undefined) {
          throw new ServiceError(
            'MissingRequiredParameter',
            'Either the definition, the role ARN, or both must be specified',
          );
        }
        if (input.definition !== undefined) requireValid(input.definition);
        const updated: StateMachineRecord = {
          ...found,
          definition: input.definition ?? found.definition,
          roleArn: input.roleArn ?? found.roleArn,
          updateDate: seconds(Date.now()),
          revisionId: randomUUID(),
        };
        machines.put(input.stateMachineArn, updated);
        return { updateDate: updated.updateDate, revisionId: updated.revisionId };
      },
      'stateMachineArn',
    ),
    DeleteStateMachine: operation(
      z.object({ stateMachineArn: arn }),
      (input) => {
        checkArn(input.stateMachineArn, 'stateMachine');
        machines.delete(input.stateMachineArn);
        return {};
      },
      'stateMachineArn',
    ),
    DescribeStateMachine: operation(
      z.object({ stateMachineArn: arn }),
      (input) => {
        const { tags: _tags, updateDate: _updated, ...rest } = machine(input.stateMachineArn);
        return {
          ...rest,
          status: 'ACTIVE',
          loggingConfiguration: { level: 'OFF', includeExecutionData: false },
          tracingConfiguration: { enabled: false },
        };
      },
      'stateMachineArn',
    ),
    ListStateMachines: operation(z.object(page), (input) => {
      const { page: found, nextToken } = pageOf(machines.all(), input);
      return {
        stateMachines: found.map((each) => ({
          stateMachineArn: each.stateMachineArn,
          name: each.name,
          type: each.type,
          creationDate: each.creationDate,
        })),
        nextToken,
      };
    }),
    ValidateStateMachineDefinition: operation(
      z.object({ definition: z.string().min(1).max(MAX_DEFINITION_LENGTH) }),
      (input) => {
        const diagnostics = checkDefinition(input.definition);
        return { result: diagnostics.length ? 'FAIL' : 'OK', diagnostics, truncated: false };
      },
    ),
    StartExecution: operation(
      z.object({
        stateMachineArn: arn,
        name: name.optional(),
        input: z.string().max(MAX_PAYLOAD_BYTES).default('{}'),
      }),
      (input) => {
        const found = machine(input.stateMachineArn);
        if (input.name !== undefined) checkName(input.name);
        if (!isJson(input.input) || Buffer.byteLength(input.input) > MAX_PAYLOAD_BYTES) {
          throw new ServiceError(
            'InvalidExecutionInput',
            "Invalid State Machine Execution Input: 'The input is not valid JSON of at most 262144 bytes'",
          );
        }
        const execution = executions.start(found, input.name ?? newExecutionName(), input.input);
        return { executionArn: execution.executionArn, startDate: execution.startDate };
      },
      'stateMachineArn',
    ),
    StopExecution: operation(
      z.object({
        executionArn: arn,
        error: z.string().max(MAX_ERROR_LENGTH).optional(),
        cause: z.string().max(MAX_CAUSE_LENGTH).optional(),
      }),
      (input) => {
        checkArn(input.executionArn, 'execution');
        const stopped = executions.stop(input.executionArn, {
          status: 'ABORTED',
          ...(input.error === undefined ? {} : { error: input.error }),
          ...(input.cause === undefined ? {} : { cause: input.cause }),
        });
        return { stopDate: stopped.stopDate };
      },
      'executionArn',
    ),
    DescribeExecution: operation(
      z.object({ executionArn: arn }),
      (input) => {
        checkArn(input.executionArn, 'execution');
        const { history: _history, ...rest } = executions.get(input.executionArn);
        return {
          ...rest,
          inputDetails: { included: true },
          ...(rest.output === undefined ? {} : { outputDetails: { included: true } }),
          redriveCount: 0,
          redriveStatus: 'NOT_REDRIVABLE',
        };
      },
      'executionArn',
    ),
    ListExecutions: operation(
      z.object({ stateMachineArn: arn, statusFilter: status.optional(), ...page }),
      (input) => {
        machine(input.stateMachineArn);
        const all = executions.list(input.stateMachineArn, input.statusFilter);
        const { page: found, nextToken } = pageOf(all, input);
        return {
          executions: found.map((each) => ({
            executionArn: each.executionArn,
            stateMachineArn: each.stateMachineArn,
            name: each.name,
            status: each.status,
            startDate: each.startDate,
            stopDate: each.stopDate,
          })),
          nextToken,
        };
      },
      'stateMachineArn',
    ),
    GetExecutionHistory: operation(
      z.object({
        executionArn: arn,
        reverseOrder: z.boolean().default(false),
        includeExecutionData: z.boolean().default(true),
        ...page,
      }),
      (input) => {
        checkArn(input.executionArn, 'execution');
        const { history } = executions.get(input.executionArn);
        const { page: events, nextToken } = pageOf(
          input.reverseOrder ? history.toReversed() : history,
          input,
        );
        return { events, nextToken };
      },
      'executionArn',
    ),
    TagResource: operation(
      z.object({ resourceArn: arn, tags: tagList }),
      (input) => {
        const found = tagged(input.resourceArn);
        Object.assign(found.tags, toTags(input.tags));
        found.save();
        return {};
      },
      'resourceArn',
    ),
    UntagResource: operation(
      z.object({ resourceArn: arn, tagKeys: z.array(z.string()) }),
      (input) => {
        const found = tagged(input.resourceArn);
        for (const key of input.tagKeys) delete found.tags[key];
        found.save();
        return {};
      },
      'resourceArn',
    ),
    ListTagsForResource: operation(
      z.object({ resourceArn: arn }),
      (input) => ({
        tags: Object.entries(tagged(input.resourceArn).tags).map(([key, value]) => ({ key, value })),
      }),
      'resourceArn',
    ),
  };
  return {
    operations,
    executions,
    tasks,
    close: () => {
      executions.close();
      tasks.close();
    },
  };
}

function pageOf<T>(
  items: T[],
  input: { maxResults: number; nextToken?: string | undefined },
): { page: T[]; nextToken?: string } {
  return paginate(
    items,
    input.nextToken,
    input.maxResults || DEFAULT_PAGE,
    () => new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'"),
  );
}

function requireValid(definition: string): void {
  const problems = checkDefinition(definition);
  if (!problems.length) return;
  const text = problems
    .map(({ code, message, location }) => `${code}: ${message}${location ? ` at ${location}` : ''}`)
    .join(', ');
  throw new ServiceError('InvalidDefinition', `Invalid State Machine Definition: '${text}'`);
}

function toTags(tags: { key: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
