import { describe, expect, it } from 'vitest';
import {
  type AptSource,
  formatDeb822,
  ownSource,
  parseDeb822,
  parseOneLine,
} from '../support/servers/apt-sources.ts';

const mirror = 'http://mirror.invalid/debian';

describe('deb822 files', () => {
  it('reads several URIs, suites and components, past comments and continued fields', () => {
    const text = `# comment
Types: deb deb-src
URIs: ${mirror} http://second.invalid/debian
Suites: bookworm bookworm-updates
# another
Components: main
 contrib
Signed-By: /usr/share/keyrings/some.gpg
`;
    const common = {
      suites: ['bookworm', 'bookworm-updates'],
      components: ['main', 'contrib'],
      signedBy: '/usr/share/keyrings/some.gpg',
    };
    expect(parseDeb822(text)).toEqual([
      { uri: mirror, ...common },
      { uri: 'http://second.invalid/debian', ...common },
    ]);
  });

  it('keeps an embedded key whole, so that it can be written down again', () => {
    const key =
      '\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc=\n -----END PGP PUBLIC KEY BLOCK-----';
    const stanza = `Types: deb\nURIs: ${mirror}\nSuites: sid\nComponents: main\nSigned-By: ${key}\n`;
    const [source] = parseDeb822(stanza);
    expect(source?.signedBy).toContain('BEGIN PGP');
    expect(source && parseDeb822(formatDeb822(source, 'sid', 'main'))).toEqual([source]);
  });

  it.each([
    ['a source package', `Types: deb-src\nURIs: ${mirror}\nSuites: x\nComponents: main\n`],
    ['a disabled one', `Enabled: no\nTypes: deb\nURIs: ${mirror}\nSuites: x\nComponents: main\n`],
    ['an empty file', ''],
  ])('takes nothing from %s', (_, text) => {
    expect(parseDeb822(text)).toEqual([]);
  });
});

describe('one-line files', () => {
  it.each([
    ['plain', `deb ${mirror} bookworm main contrib`, {}],
    [
      'with options',
      `deb [arch=amd64 signed-by=/k.gpg] ${mirror} bookworm main contrib # why`,
      { signedBy: '/k.gpg' },
    ],
  ])('%s', (_, line, expected) => {
    expect(parseOneLine(`${line}\n`)).toEqual([
      { uri: mirror, suites: ['bookworm'], components: ['main', 'contrib'], ...expected },
    ]);
  });

  it.each([`# deb ${mirror} bookworm main`, `deb-src ${mirror} bookworm main`, ''])(
    'takes nothing from "%s"',
    (line) => {
      expect(parseOneLine(line)).toEqual([]);
    },
  );
});

describe("the machine's own source", () => {
  const source = (uri: string, suite: string, component: string): AptSource => ({
    uri,
    suites: [suite],
    components: [component],
  });
  const own = source('own', 'bookworm', 'main');

  it.each([
    ['the first of its codename', [source('other', 'nodistro', 'main'), own], own],
    ['not one without main', [source('extra', 'bookworm', 'contrib'), own], own],
    ['codename before alias', [source('alias', 'stable', 'main'), own], own],
    ['an alias, when alone', [source('alias', 'sid', 'main')], source('alias', 'sid', 'main')],
    ['none of a foreign suite', [source('other', 'nodistro', 'main')], undefined],
  ])('%s', (_, sources, expected) => {
    expect(ownSource(sources, 'bookworm')).toEqual(expected);
  });
});
