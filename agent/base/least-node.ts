/**
 * The oldest Node that runs the program: `engines` in package.json. Its tests run on it (test/oldest-node), and the
 * compiler knows nothing newer (`@types/node`, and `lib` in tsconfig.json). A test holds them all together.
 */
export const LEAST_NODE = '22.18';

/** @param version e.g. `process.versions.node` */
export function isNodeNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = LEAST_NODE.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
