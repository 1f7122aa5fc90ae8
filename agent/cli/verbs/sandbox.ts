import { createLogger } from '../../base/log.ts';
import { homePaths } from '../../base/paths.ts';
import { seedEnvironment, startPortal, startSandbox } from '../../sandbox/index.ts';
import { WrongUse, type VerbOptions } from '../main-types.ts';
import { note, print, printJson } from '../output.ts';

interface SandboxVerbOptions extends VerbOptions {
  port: string;
  env?: string;
  memory?: boolean;
  portal?: boolean;
}

/** The AWS stand-in alone, until SIGINT or SIGTERM. */
export async function sandbox(options: SandboxVerbOptions): Promise<void> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new WrongUse(`--port ${options.port}: use 0 to 65535`);
  const started = await startSandbox({
    port,
    log: createLogger({ level: 'warn' }),
    ...(options.memory === true ? {} : { dataDir: homePaths(options.home).sandbox }),
  });
  const seeded = options.env === undefined ? null : await seedEnvironment(started, { env: options.env });
  const portal = options.portal === true ? await startPortal() : null;
  if (options.json === true) {
    printJson({
      url: started.url,
      env: started.env,
      portal: portal?.url ?? null,
      ...(seeded ? { seeded } : {}),
    });
  } else {
    print(
      Object.entries(started.env)
        .map(([name, value]) => `export ${name}=${value}`)
        .join('\n'),
    );
    note(
      `\nThe sandbox answers at ${started.url}. The AWS command line before version 2.13 also needs --endpoint-url.`,
    );
    if (seeded) note(`Environment ${seeded.env}: activity ${seeded.activityArn}, bucket ${seeded.bucket}`);
    if (portal) note(`The demo portal is at ${portal.url}`);
    note('Ctrl+C ends it.');
  }
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve());
  });
  await portal?.close();
  await started.close();
}
