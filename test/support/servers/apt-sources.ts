/** A package source of the machine, reduced to what a private apt tree needs of it. */
export interface AptSource {
  /** As written: a URL or another apt transport such as `mirror+file:`. */
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A keyring's path, a fingerprint or a whole key; absent: apt's default keyrings. */
  readonly signedBy?: string;
}

/** Reads a deb822 file (`*.sources`); see sources.list(5). */
export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    const isOff = /^(no|false|without|off|disable)$/i.test(fields.get('enabled') ?? '');
    if (isOff || !words(fields.get('types')).includes('deb')) return [];
    return words(fields.get('uris')).map((uri) =>
      source(
        uri,
        words(fields.get('suites')),
        words(fields.get('components')),
        fields.get('signed-by'),
      ),
    );
  });
}

/** Reads a one-line-style file (`sources.list`, `*.list`); see sources.list(5). */
export function parseOneLine(text: string): AptSource[] {
  const pattern = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#\n]+)/gm;
  return [...text.matchAll(pattern)].map(([, options = '', uri = '', suite = '', rest = '']) =>
    source(uri, [suite], words(rest), /\bsigned-by=(\S+)/i.exec(options)?.[1]),
  );
}

/**
 * The source that the machine's own packages come from: the first one for its codename (or, on
 * machines that follow a moving suite, for that suite's alias) with the component main.
 */
export function ownSource(sources: readonly AptSource[], codename: string): AptSource | undefined {
  const withMain = sources.filter((each) => each.components.includes('main'));
  return [codename, 'stable', 'testing', 'unstable', 'sid']
    .map((suite) => withMain.find((each) => each.suites.includes(suite)))
    .find((each) => each !== undefined);
}

/** A deb822 file naming one suite of the same mirror. */
export function formatDeb822(from: AptSource, suite: string, components: string): string {
  const signedBy = from.signedBy === undefined ? '' : `Signed-By: ${from.signedBy}\n`;
  return `Types: deb\nURIs: ${from.uri}\nSuites: ${suite}\nComponents: ${components}\n${signedBy}`;
}

function source(
  uri: string,
  suites: string[],
  components: string[],
  signedBy: string | undefined,
): AptSource {
  return { uri, suites, components, ...(signedBy === undefined ? {} : { signedBy }) };
}

/** Fields by lower-case name; continuation lines are kept as they are (an embedded key has some). */
function stanzaFields(stanza: string): Map<string, string> {
  const unfolded = stanza
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .matchAll(/^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm);
  return new Map([...unfolded].map(([, name = '', value = '']) => [name.toLowerCase(), value]));
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
