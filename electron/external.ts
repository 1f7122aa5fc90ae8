/** Which addresses of the outside world the page may open in the person's browser. */

/** Exactly these hosts, and what is below those that begin with a dot. */
const HOSTS = [
  'console.aws.amazon.com',
  '.console.aws.amazon.com',
  'console.amazonaws.cn',
  '.console.amazonaws.cn',
  'console.amazonaws-us-gov.com',
  '.console.amazonaws-us-gov.com',
  'docs.aws.amazon.com',
  'signin.aws.amazon.com',
  '.signin.aws.amazon.com',
  'signin.amazonaws.cn',
  'signin.amazonaws-us-gov.com',
  '.awsapps.com',
  'github.com',
  'nodejs.org',
  'playwright.dev',
  'www.google.com',
];

/** @returns the address as it is opened; null: it is not opened */
export function openable(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.port !== '') return null;
  const { hostname } = url;
  const isKnown = HOSTS.some((host) => (host.startsWith('.') ? hostname.endsWith(host) : hostname === host));
  return isKnown ? url.href : null;
}
