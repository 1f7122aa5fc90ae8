/** Secrets Manager (secretsmanager, JSON 1.1). */
import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ServiceError } from './errors.ts';
import { operation, paginate, seconds, type Operation } from './operation.ts';
import type { Records } from './records.ts';

interface SecretVersion {
  versionId: string;
  secretString?: string;
  /** Base64. */
  secretBinary?: string;
  stages: string[];
  created: number;
}

interface Secret {
  arn: string;
  name: string;
  description?: string;
  created: number;
  changed: number;
  /** Set while the secret waits to be deleted for good. */
  deletionDate?: number;
  tags: { Key: string; Value: string }[];
  versions: SecretVersion[];
}

const MAX_SECRET_BYTES = 65_536;
const MAX_PAGE = 100;
const DEFAULT_RECOVERY_DAYS = 30;
const DAY_MS = 86_400_000;
/** Versions without a stage that are kept; the service keeps about a hundred. */
const MAX_VERSIONS = 100;

const id = z.string().min(1).max(2048);
const value = {
  SecretString: z.string().max(MAX_SECRET_BYTES).optional(),
  SecretBinary: z.string().optional(),
  ClientRequestToken: z.string().optional(),
};
const tags = z.array(z.object({ Key: z.string(), Value: z.string() })).default([]);

interface NewValue {
  SecretString?: string | undefined;
  SecretBinary?: string | undefined;
  ClientRequestToken?: string | undefined;
}

export interface Secrets {
  operations: Record<string, Operation>;
  /** Of a secret by its name or ARN. */
  arnOf(id: string): string | undefined;
}

export function createSecrets(records: Records, accountId: string): Secrets {
  const secrets = records.collection<Secret>('secret');
  const find = (secretId: string): Secret | undefined =>
    secrets.get(secretId) ??
    secrets
      .all()
      // A partial ARN, without the six characters at its end, is accepted too.
      .find((each) => each.arn === secretId || each.arn.slice(0, -7) === secretId);
  const secret = (secretId: string): Secret => {
    const found = find(secretId);
    if (!found) {
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return found;
  };
  const usable = (secretId: string): Secret => {
    const found = secret(secretId);
    if (found.deletionDate !== undefined) {
      throw new ServiceError(
        'InvalidRequestException',
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    }
    return found;
  };
  const addVersion = (target: Secret, input: NewValue): SecretVersion => {
    for (const version of target.versions) {
      version.stages = version.stages.includes('AWSCURRENT') ? ['AWSPREVIOUS'] : [];
    }
    const version: SecretVersion = {
      versionId: input.ClientRequestToken ?? randomUUID(),
      stages: ['AWSCURRENT'],
      created: seconds(Date.now()),
      ...(input.SecretString === undefined ? {} : { secretString: input.SecretString }),
      ...(input.SecretBinary === undefined ? {} : { secretBinary: input.SecretBinary }),
    };
    target.versions = [version, ...target.versions].slice(0, MAX_VERSIONS);
    target.changed = version.created;
    secrets.put(target.name, target);
    return version;
  };

  const operations: Record<string, Operation> = {
    CreateSecret: operation(
      z.object({
        Name: z.string().min(1).max(512),
        Description: z.string().optional(),
        Tags: tags,
        ...value,
      }),
      (input, { caller }) => {
        const existing = find(input.Name);
        if (existing) {
          throw existing.deletionDate === undefined
            ? new ServiceError(
                'ResourceExistsException',
                `The operation failed because the secret ${input.Name} already exists.`,
              )
            : new ServiceError(
                'InvalidRequestException',
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
              );
        }
        const now = seconds(Date.now());
        const created: Secret = {
          arn: `arn:aws:secretsmanager:${caller.region}:${accountId}:secret:${input.Name}-${suffix()}`,
          name: input.Name,
          created: now,
          changed: now,
          tags: input.Tags,
          versions: [],
          ...(input.Description === undefined ? {} : { description: input.Description }),
        };
        secrets.put(created.name, created);
        const hasValue = input.SecretString !== undefined || input.SecretBinary !== undefined;
        const version = hasValue ? addVersion(created, input) : undefined;
        return { ARN: created.arn, Name: created.name, VersionId: version?.versionId };
      },
      'Name',
    ),
    GetSecretValue: operation(
      z.object({ SecretId: id, VersionId: z.string().optional(), VersionStage: z.string().optional() }),
      (input) => {
        const found = usable(input.SecretId);
        const stage = input.VersionStage ?? (input.VersionId === undefined ? 'AWSCURRENT' : undefined);
        const version = found.versions.find(
          (each) =>
            (input.VersionId === undefined || each.versionId === input.VersionId) &&
            (stage === undefined || each.stages.includes(stage)),
        );
        if (!version) {
          throw new ServiceError(
            'ResourceNotFoundException',
            input.VersionId === undefined
              ? `Secrets Manager can't find the specified secret value for staging label: ${stage}`
              : `Secrets Manager can't find the specified secret value for VersionId: ${input.VersionId}`,
          );
        }
        return {
          ARN: found.arn,
          Name: found.name,
          VersionId: version.versionId,
          SecretString: version.secretString,
          SecretBinary: version.secretBinary,
          VersionStages: version.stages,
          CreatedDate: version.created,
        };
      },
      'SecretId',
    ),
    PutSecretValue: operation(
      z.object({ SecretId: id, ...value }),
      (input) => {
        const found = usable(input.SecretId);
        if (input.SecretString === undefined && input.SecretBinary === undefined) {
          throw new ServiceError(
            'InvalidRequestException',
            'You must provide either SecretString or SecretBinary.',
          );
        }
        const version = addVersion(found, input);
        return {
          ARN: found.arn,
          Name: found.name,
          VersionId: version.versionId,
          VersionStages: version.stages,
        };
      },
      'SecretId',
    ),
    UpdateSecret: operation(
      z.object({ SecretId: id, Description: z.string().optional(), ...value }),
      (input) => {
        const found = usable(input.SecretId);
        if (input.Description !== undefined) found.description = input.Description;
        const hasValue = input.SecretString !== undefined || input.SecretBinary !== undefined;
        const version = hasValue ? addVersion(found, input) : undefined;
        if (!version) secrets.put(found.name, found);
        return { ARN: found.arn, Name: found.name, VersionId: version?.versionId };
      },
      'SecretId',
    ),
    DeleteSecret: operation(
      z.object({
        SecretId: id,
        ForceDeleteWithoutRecovery: z.boolean().default(false),
        RecoveryWindowInDays: z.number().int().min(7).max(30).optional(),
      }),
      (input) => {
        const found = find(input.SecretId);
        if (!found) {
          if (input.ForceDeleteWithoutRecovery) {
            return { Name: input.SecretId, DeletionDate: seconds(Date.now()) };
          }
          secret(input.SecretId);
          return {};
        }
        if (input.ForceDeleteWithoutRecovery) {
          secrets.delete(found.name);
          return { ARN: found.arn, Name: found.name, DeletionDate: seconds(Date.now()) };
        }
        found.deletionDate = seconds(
          Date.now() + (input.RecoveryWindowInDays ?? DEFAULT_RECOVERY_DAYS) * DAY_MS,
        );
        secrets.put(found.name, found);
        return { ARN: found.arn, Name: found.name, DeletionDate: found.deletionDate };
      },
      'SecretId',
    ),
    RestoreSecret: operation(
      z.object({ SecretId: id }),
      (input) => {
        const found = secret(input.SecretId);
        delete found.deletionDate;
        secrets.put(found.name, found);
        return { ARN: found.arn, Name: found.name };
      },
      'SecretId',
    ),
    DescribeSecret: operation(
      z.object({ SecretId: id }),
      (input) => describe(secret(input.SecretId)),
      'SecretId',
    ),
    ListSecrets: operation(
      z.object({
        MaxResults: z.number().int().min(1).max(MAX_PAGE).default(MAX_PAGE),
        NextToken: z.string().optional(),
        IncludePlannedDeletion: z.boolean().default(false),
        Filters: z
          .array(z.object({ Key: z.string().optional(), Values: z.array(z.string()).default([]) }))
          .default([]),
      }),
      (input) => {
        const matching = secrets
          .all()
          .filter((each) => input.IncludePlannedDeletion || each.deletionDate === undefined)
          .filter((each) =>
            input.Filters.every(
              (filter) =>
                filter.Key !== 'name' || filter.Values.some((prefix) => each.name.startsWith(prefix)),
            ),
          );
        const { page, nextToken } = paginate(
          matching,
          input.NextToken,
          input.MaxResults,
          () => new ServiceError('InvalidNextTokenException', 'The NextToken value is invalid.'),
        );
        return { SecretList: page.map(describe), NextToken: nextToken };
      },
    ),
  };
  return { operations, arnOf: (id) => find(id)?.arn };
}

function describe(secret: Secret): Record<string, unknown> {
  const stages = Object.fromEntries(
    secret.versions
      .filter((version) => version.stages.length)
      .map((version) => [version.versionId, version.stages]),
  );
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    CreatedDate: secret.created,
    LastChangedDate: secret.changed,
    DeletedDate: secret.deletionDate,
    Tags: secret.tags,
    VersionIdsToStages: stages,
    SecretVersionsToStages: stages,
  };
}

/** The service ends each ARN with six characters of its own, so that a name can be used again. */
function suffix(): string {
  return randomBytes(8).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, 6);
}
