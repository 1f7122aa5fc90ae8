/**
 * The environment of the agent's process: what it, the browsers and the programs that it starts need, and nothing
 * else. An app that was started in a terminal would pass on every token exported there. Variables that scripts may
 * read (`script.allowed_env`) are not in it: the agent asks for each when a script wants it.
 */

interface Passed {
  why: string;
  /** Separated by white space. */
  names?: string;
  prefixes?: readonly string[];
}

const PASSED: readonly Passed[] = [
  {
    why: 'settings of the agent (docs/configuration.md)',
    names: 'BROWSER_AGENT_ENV ACTIVITY_ARN S3_BUCKET RECORDING_LEVEL_OVERRIDE',
    prefixes: ['LBA_', 'OTEL_'],
  },
  { why: 'the AWS SDK: credentials, region, endpoints', prefixes: ['AWS_'] },
  {
    why: 'proxies and certificates, for the agent and the browser',
    names: `
      HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
      http_proxy https_proxy all_proxy no_proxy auto_proxy
      NODE_EXTRA_CA_CERTS NODE_USE_SYSTEM_CA NODE_USE_ENV_PROXY SSL_CERT_FILE SSL_CERT_DIR
    `,
  },
  { why: 'single sign-on of the browser', prefixes: ['KRB5'] },
  { why: 'language, formats and time zone', names: 'LANG LANGUAGE TZ', prefixes: ['LC_'] },
  {
    why: 'the person, their folders and temporary files',
    names: `
      HOME USER LOGNAME TMPDIR
      USERNAME USERPROFILE USERDOMAIN HOMEDRIVE HOMEPATH TEMP TMP
      APPDATA LOCALAPPDATA PUBLIC COMPUTERNAME SESSIONNAME
    `,
  },
  {
    why: 'finding and starting programs: browsers, ffmpeg, credential_process of an AWS profile',
    names: `
      PATH PATHEXT COMSPEC LD_LIBRARY_PATH
      SYSTEMROOT SYSTEMDRIVE WINDIR PROGRAMDATA ALLUSERSPROFILE
      PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432
      COMMONPROGRAMFILES COMMONPROGRAMFILES(X86) COMMONPROGRAMW6432
      OS NUMBER_OF_PROCESSORS PROCESSOR_ARCHITECTURE CHROME_DEVEL_SANDBOX
    `,
    prefixes: ['PLAYWRIGHT_'],
  },
  {
    why: 'a browser with a window: display, session bus, keyring, input method, fonts, sound, look',
    names: `
      DISPLAY WAYLAND_DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS DESKTOP_SESSION
      GNOME_DESKTOP_SESSION_ID KDE_FULL_SESSION KDE_SESSION_VERSION XMODIFIERS
      PULSE_SERVER __CF_USER_TEXT_ENCODING
    `,
    prefixes: ['XDG_', 'GTK_', 'GDK_', 'QT_', 'FONTCONFIG_'],
  },
];

const NAMES = new Set(PASSED.flatMap(({ names = '' }) => names.split(/\s+/)).filter(Boolean));
const PREFIXES = PASSED.flatMap(({ prefixes = [] }) => prefixes);

export function agentEnvironment(
  env: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): NodeJS.ProcessEnv {
  const passed = Object.entries(env).filter(([name]) => isPassed(name, platform));
  // On Linux glibc gives most threads a heap of their own, of which little ever goes back; with one for all, the
  // agent at rest takes 3 MB less. Other platforms do not read it.
  return { MALLOC_ARENA_MAX: env['MALLOC_ARENA_MAX'] ?? '1', ...Object.fromEntries(passed) };
}

/** Windows does not tell `Path` from `PATH`. */
function isPassed(name: string, platform: NodeJS.Platform): boolean {
  const wanted = platform === 'win32' ? name.toUpperCase() : name;
  return NAMES.has(wanted) || PREFIXES.some((prefix) => wanted.startsWith(prefix));
}
