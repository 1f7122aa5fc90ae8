/** The bucket for recordings, what encrypts it, and who looked at them. */
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { CfnAlias, CfnKey } from 'aws-cdk-lib/aws-kms';
import { CfnBucket, CfnBucketPolicy, type CfnBucketProps } from 'aws-cdk-lib/aws-s3';
import { CfnDeletionPolicy, Fn, Token, type CfnResource } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { namesInAws } from '../../agent/aws/arn.ts';
import { ACCOUNT, ENVIRONMENT, only, parameter, sub, textWhen, when } from './intrinsics.ts';

/** A large upload that was begun is gone on with after a restart; one this old belongs to no machine. */
const ABORT_PARTS_DAYS = 7;

/** Long enough to be asked about the year before. */
const TRAIL_RETENTION_DAYS = 400;

/** The ARN of the key that encrypts recordings; only where there is one. */
export function keyArn(): string {
  return textWhen('HasOwnKey', Fn.getAtt('RecordingsKey', 'Arn').toString(), parameter('KmsKey'));
}

export function addRecordings(scope: Construct): void {
  const key = new CfnKey(scope, 'RecordingsKey', {
    description: sub(`Recordings of browser agents, ${ENVIRONMENT}`),
    enableKeyRotation: true,
    keyPolicy: {
      Version: '2012-10-17',
      Statement: [
        {
          // Who else may use it is said by policies of identities; without this nobody could change it.
          Sid: 'AccountDecides',
          Effect: 'Allow',
          Principal: { AWS: sub(`arn:\${AWS::Partition}:iam::${ACCOUNT}:root`) },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    },
  });
  kept(only('HasOwnKey', key));
  only(
    'HasOwnKey',
    new CfnAlias(scope, 'RecordingsKeyAlias', {
      aliasName: sub(`alias/browser-agent-recordings-${ENVIRONMENT}`),
      targetKeyId: key.ref,
    }),
  );

  const bucket = new CfnBucket(scope, 'Recordings', {
    bucketName: sub(namesInAws.bucket(ENVIRONMENT, ACCOUNT)),
    bucketEncryption: {
      serverSideEncryptionConfiguration: [
        {
          serverSideEncryptionByDefault: when(
            'HasKey',
            { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn() },
            { SSEAlgorithm: 'AES256' },
          ),
          // One request to KMS for many objects instead of one for each.
          bucketKeyEnabled: when('HasKey', true),
        },
      ],
    },
    ...closed(),
    lifecycleConfiguration: {
      rules: [
        {
          id: 'remove-recordings',
          status: 'Enabled',
          expirationInDays: Token.asNumber({ Ref: 'RetentionDays' }),
        },
        {
          id: 'remove-parts-of-uploads',
          status: 'Enabled',
          abortIncompleteMultipartUpload: { daysAfterInitiation: ABORT_PARTS_DAYS },
        },
      ],
    },
  });
  kept(bucket);
  kept(
    new CfnBucketPolicy(scope, 'RecordingsPolicy', {
      bucket: bucket.ref,
      policyDocument: { Version: '2012-10-17', Statement: [tlsOnly('Recordings')] },
    }),
  );
  addTrail(scope);
}

/** Who read and wrote recordings: data events of that bucket alone. */
function addTrail(scope: Construct): void {
  const bucket = new CfnBucket(scope, 'TrailBucket', {
    bucketName: sub(`browser-agent-trail-${ENVIRONMENT}-${ACCOUNT}`),
    bucketEncryption: {
      serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
    },
    ...closed(),
    lifecycleConfiguration: {
      rules: [{ id: 'remove-logs', status: 'Enabled', expirationInDays: TRAIL_RETENTION_DAYS }],
    },
  });
  kept(only('HasDataTrail', bucket));
  // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
  const trailArn = sub(
    `arn:\${AWS::Partition}:cloudtrail:\${AWS::Region}:${ACCOUNT}:trail/browser-agent-${ENVIRONMENT}`,
  );
  const cloudTrail = { Service: 'cloudtrail.amazonaws.com' };
  const policy = new CfnBucketPolicy(scope, 'TrailBucketPolicy', {
    bucket: bucket.ref,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        tlsOnly('TrailBucket'),
        {
          Sid: 'TrailLooks',
          Effect: 'Allow',
          Principal: cloudTrail,
          Action: 's3:GetBucketAcl',
          Resource: sub('${TrailBucket.Arn}'),
          Condition: { StringEquals: { 'aws:SourceArn': trailArn } },
        },
        {
          Sid: 'TrailWrites',
          Effect: 'Allow',
          Principal: cloudTrail,
          Action: 's3:PutObject',
          Resource: sub(`\${TrailBucket.Arn}/AWSLogs/${ACCOUNT}/*`),
          Condition: {
            StringEquals: { 'aws:SourceArn': trailArn, 's3:x-amz-acl': 'bucket-owner-full-control' },
          },
        },
      ],
    },
  });
  kept(only('HasDataTrail', policy));
  const trail = new CfnTrail(scope, 'Trail', {
    trailName: sub(`browser-agent-${ENVIRONMENT}`),
    s3BucketName: bucket.ref,
    isLogging: true,
    enableLogFileValidation: true,
    advancedEventSelectors: [
      {
        name: 'Recordings',
        fieldSelectors: [
          { field: 'eventCategory', equalTo: ['Data'] },
          { field: 'resources.type', equalTo: ['AWS::S3::Object'] },
          { field: 'resources.ARN', startsWith: [sub('${Recordings.Arn}/')] },
        ],
      },
    ],
  });
  only('HasDataTrail', trail).addResourceDependency(policy);
}

/** Nothing public, and no access lists: what is allowed is said by policies alone. */
function closed(): Pick<CfnBucketProps, 'publicAccessBlockConfiguration' | 'ownershipControls'> {
  return {
    publicAccessBlockConfiguration: {
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    ownershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
  };
}

function tlsOnly(bucket: string) {
  return {
    Sid: 'TlsOnly',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [sub(`\${${bucket}.Arn}`), sub(`\${${bucket}.Arn}/*`)],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
}

/** Evidence, what can open it and what guards it outlive the stack. */
function kept(resource: CfnResource): void {
  resource.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
  resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
}
