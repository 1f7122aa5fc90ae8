/** Whether an endpoint is AWS's own, where a bucket is a host name; elsewhere it is the first part of the path. */
export function isAwsEndpoint(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { hostname } = new URL(endpoint);
  return /(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/.test(hostname);
}
