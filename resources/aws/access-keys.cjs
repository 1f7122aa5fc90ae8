/**
 * The access key of the user that agents share: makes it, puts it into the secret, and from then on makes a
 * new one every ROTATION_DAYS (0: never). IAM allows two keys of a user. The old one works for a third of
 * that time after the new one is in the secret, is then deactivated, and removed after another third.
 *
 * Runs once a day, and as a custom resource of the stack: create and update are a day like any other, delete
 * removes all keys, without which the user could not be removed. It keeps no state: whatever a turn leaves
 * undone, the next one does. It is in the template as it stands here, without comments.
 */
const iam = require('@aws-sdk/client-iam');
const sm = require('@aws-sdk/client-secrets-manager');

const { USER: UserName, SECRET: SecretId, ROTATION_DAYS } = process.env;
/** A permission that was just given is not known everywhere at once. */
const ATTEMPTS = 5;
const PAUSE_MS = 6_000;

const users = new iam.IAMClient({});
const secrets = new sm.SecretsManagerClient({});

exports.handler = async (event) => {
  if (!event.ResponseURL) return turn(new Date(event.time ?? Date.now()));
  let answer;
  for (let attempt = 1; answer?.Status !== 'SUCCESS' && attempt <= ATTEMPTS; attempt += 1) {
    if (attempt > 1) await new Promise((done) => setTimeout(done, PAUSE_MS));
    try {
      await (event.RequestType === 'Delete' ? removeAll() : turn(new Date()));
      answer = { Status: 'SUCCESS' };
    } catch (thrown) {
      answer = { Status: 'FAILED', Reason: String(thrown) };
    }
  }
  const { StackId, RequestId, LogicalResourceId } = event;
  const about = { PhysicalResourceId: UserName, StackId, RequestId, LogicalResourceId };
  const body = JSON.stringify({ ...answer, ...about });
  // The address is signed for no content type.
  await fetch(event.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body });
};

async function turn(now) {
  const rotationDays = Number(ROTATION_DAYS);
  let keys = await list();
  const secret = await read();
  const current = keys.find((key) => key.AccessKeyId === secret.AWS_ACCESS_KEY_ID && key.Status === 'Active');
  const ageDays = current ? (now - current.CreateDate) / 86_400_000 : Infinity;
  const others = keys.filter((key) => key !== current);
  for (const key of others) {
    // Two keys, neither of them the one in the secret: the older makes room for one that is.
    const isUseless = !current && keys.length > 1;
    const isOver = current && rotationDays && key.Status === 'Inactive' && ageDays >= (2 * rotationDays) / 3;
    if (isUseless || isOver) {
      await remove(key);
      keys = keys.filter((each) => each !== key);
    } else if (current && rotationDays && key.Status === 'Active' && ageDays >= rotationDays / 3) {
      await users.send(
        new iam.UpdateAccessKeyCommand({ UserName, AccessKeyId: key.AccessKeyId, Status: 'Inactive' }),
      );
      console.log(`deactivated ${key.AccessKeyId}`);
    }
  }
  const isDue = !current || (rotationDays && ageDays >= rotationDays);
  if (!isDue || keys.length > 1) return;
  const { AccessKey: made } = await users.send(new iam.CreateAccessKeyCommand({ UserName }));
  try {
    await write({
      ...secret,
      AWS_ACCESS_KEY_ID: made.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: made.SecretAccessKey,
    });
  } catch (thrown) {
    await remove(made);
    throw thrown;
  }
  console.log(`made ${made.AccessKeyId}`);
}

async function removeAll() {
  for (const key of await list()) await remove(key);
  const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...rest } = await read();
  await write(rest);
}

async function list() {
  const { AccessKeyMetadata: keys } = await users.send(new iam.ListAccessKeysCommand({ UserName }));
  return keys.toSorted((one, other) => one.CreateDate - other.CreateDate);
}

async function remove({ AccessKeyId }) {
  await users.send(new iam.DeleteAccessKeyCommand({ UserName, AccessKeyId }));
  console.log(`removed ${AccessKeyId}`);
}

async function read() {
  return JSON.parse((await secrets.send(new sm.GetSecretValueCommand({ SecretId }))).SecretString);
}

async function write(value) {
  await secrets.send(new sm.PutSecretValueCommand({ SecretId, SecretString: JSON.stringify(value) }));
}
