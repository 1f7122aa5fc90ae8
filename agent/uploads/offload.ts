import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';

/**
 * Puts a task's output that is above the service's limit into S3, beside the run's evidence.
 *
 * @throws what the SDK throws: the caller knows whether a retry still makes sense
 */
export async function offloadOutput(
  s3: S3Client,
  target: { bucket: string; runId: string; json: string },
): Promise<{ output_s3_uri: string; sha256: string; bytes: number }> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3');
  const body = Buffer.from(target.json, 'utf8');
  const digest = createHash('sha256').update(body).digest();
  const key = `browser-sessions/${target.runId}/output.json`;
  await s3.send(
    new PutObjectCommand({
      Bucket: target.bucket,
      Key: key,
      Body: body,
      ContentType: 'application/json',
      ChecksumSHA256: digest.toString('base64'),
      Metadata: { 'run-id': target.runId },
    }),
  );
  return {
    output_s3_uri: `s3://${target.bucket}/${key}`,
    sha256: digest.toString('hex'),
    bytes: body.length,
  };
}
