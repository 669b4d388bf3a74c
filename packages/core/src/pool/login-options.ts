import type { ConnectionOptions } from './mysql2.ts';

const names = [
  'host',
  'port',
  'socketPath',
  'localAddress',
  'user',
  'password',
  'password1',
  'password2',
  'password3',
  'passwordSha1',
  'ssl',
  'connectTimeout',
  'insecureAuth',
  'authPlugins',
  'authSwitchHandler',
  'enableCleartextPlugin',
] as const;

/** What it takes to log in again; the parsed options hold more, some of which mysql2 warns about. */
export function loginOptions(config: ConnectionOptions): ConnectionOptions {
  const given = names.filter((name) => config[name] !== undefined);
  return {
    ...Object.fromEntries(given.map((name) => [name, config[name]])),
    // One that makes streams makes one for this login too: a tunnel, or a cloud's connector.
    ...(typeof config.stream === 'function' ? { stream: config.stream } : {}),
  };
}
