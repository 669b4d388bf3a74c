import { describe, expect, it } from 'vitest';
import { LearnedVersions } from '../../../packages/core/src/catalogue/server-versions.ts';
import type { Dialect } from '../../../packages/core/src/statement/facts.ts';

const anyVersion = { version: 0, newestVersion: Number.MAX_SAFE_INTEGER };

describe('LearnedVersions', () => {
  it.each<[string, Dialect | null, readonly string[], object]>([
    ['nothing told', null, [], { dialect: 'unknown', ...anyVersion }],
    ['nothing told, dialect given', 'mysql', [], { dialect: 'mysql', ...anyVersion }],
    ['one server', null, ['9.7.4-2'], { dialect: 'mysql', version: 90704, newestVersion: 90704 }],
    [
      'the oldest and the newest',
      null,
      ['8.4.0', '8.0.36-28', '9.7.4'],
      { dialect: 'mysql', version: 80036, newestVersion: 90704 },
    ],
    [
      'MariaDB',
      null,
      ['10.11.18-MariaDB-0+deb12u1-log'],
      { dialect: 'mariadb', version: 101118, newestVersion: 101118 },
    ],
    ['both', null, ['8.4.0', '11.4.2-MariaDB'], { dialect: 'unknown', ...anyVersion }],
    [
      'the given dialect wins, and another server does not count',
      'mysql',
      ['11.4.2-MariaDB', '8.0.11'],
      { dialect: 'mysql', version: 80011, newestVersion: 80011 },
    ],
  ])('%s', (_, given, versions, expected) => {
    const learned = new LearnedVersions(given);
    for (const version of versions) learned.learn(version);
    expect(learned.servers).toEqual(expected);
  });
});
