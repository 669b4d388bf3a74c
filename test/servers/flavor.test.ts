import { describe, expect, it } from 'vitest';
import { isUsable, parseVersion } from '../support/servers/flavor.ts';

describe('the version line of a server program', () => {
  it.each([
    [
      'MySQL of Debian',
      '/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))',
      { flavor: 'mysql', version: '9.7.4' },
    ],
    [
      'MariaDB under the name mysqld',
      'mysqld  Ver 10.11.18-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)',
      { flavor: 'mariadb', version: '10.11.18' },
    ],
    [
      'a fork of MySQL counts as MySQL',
      'mysqld  Ver 8.4.0-1 for Linux on x86_64 (Percona Server (GPL), Release 1)',
      { flavor: 'mysql', version: '8.4.0' },
    ],
    ['another program', 'cat (GNU coreutils) 9.1', undefined],
    ['no answer', '', undefined],
  ])('%s', (_, line, expected) => {
    expect(parseVersion(line)).toEqual(expected);
  });
});

describe('a server can be used', () => {
  it.each([
    ['mysql', '8.4.0', 'mysql', true, 'the oldest'],
    ['mysql', '8.0.45', 'mysql', false, 'too old'],
    ['mysql', '9.0.1', 'mysql', true, 'a higher major with a lower minor'],
    ['mariadb', '10.11.18', 'mysql', false, 'the other flavour'],
    ['mariadb', '10.6.1', 'mariadb', true, 'the oldest'],
    ['mariadb', '10.5.29', 'mariadb', false, 'too old'],
  ] as const)('%s %s for %s: %s, %s', (flavor, version, wanted, expected, _reason) => {
    expect(isUsable({ flavor, version }, wanted)).toBe(expected);
  });
});
