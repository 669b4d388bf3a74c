/** One mistake in the classifier's sources, as a change of their text. */
export interface BrokenLexer {
  /** What it believes. */
  readonly name: string;
  /** Each pattern stands exactly once in the sources; in which file is no matter. */
  readonly changes: readonly (readonly [pattern: RegExp, replacement: string])[];
}

/*
 * The mistakes that readers of SQL make. Each must lead to a text that the broken lexer lets go to
 * a replica, and that a server says has an effect.
 */
export const brokenLexers: readonly BrokenLexer[] = [
  {
    name: 'a number with an exponent goes on in a keyword',
    changes: [
      [
        /if \(end !== MALFORMED\) return end;/,
        'if (end !== MALFORMED && !isIdentifier(sql.charCodeAt(end))) return end;',
      ],
    ],
  },
  {
    name: 'a number with a point goes on in a keyword',
    changes: [
      [
        /let at = behindPoint;\s+while \(isDigit\(/,
        'let at = behindPoint;\n  while (isIdentifier(',
      ],
    ],
  },
  {
    name: 'a point before digits always qualifies a name',
    changes: [
      [/if \(isDigit\(code\) && !afterName\)/, 'if (isDigit(code) && !afterName && code < 0)'],
    ],
  },
  {
    name: 'no identifier begins with a digit',
    changes: [[/return isIdentifier\(code\) \? IDENTIFIER : at;/, 'return at;']],
  },
  {
    name: '0X1 is a number',
    changes: [[/\(code === 120 \|\| code === 98\)/, '((code | 32) === 120 || code === 98)']],
  },
  {
    name: '-- begins a comment before any character',
    changes: [[/return !\(third > 32 && third !== 127\);/, 'return true;']],
  },
  {
    name: '# begins no comment',
    changes: [[/classify\('#', HASH\)/, "classify('#', PUNCTUATION)"]],
  },
  {
    name: 'a carriage return ends a line',
    changes: [
      [
        /const lineFeed = sql\.indexOf\('\\n', from\);/,
        'const found = /[\\r\\n]/.exec(sql.slice(from));\n  const lineFeed = found === null ? -1 : from + found.index;',
      ],
    ],
  },
  {
    name: 'comments nest',
    changes: [
      [
        /const end = sql\.indexOf\('\*\/', at \+ 2\);/,
        "const inner = sql.indexOf('/*', at + 2); const outer = sql.indexOf('*/', at + 2);\n" +
          "const end = inner >= 0 && inner < outer ? sql.indexOf('*/', outer + 2) : outer;",
      ],
    ],
  },
  {
    name: '/*/ is a whole comment',
    changes: [
      [/const end = sql\.indexOf\('\*\/', at \+ 2\);/, "const end = sql.indexOf('*/', at + 1);"],
    ],
  },
  {
    name: 'executable comments are comments',
    changes: [[/if \(code === 33\) return at \+ 3;/, 'if (code === 33) return -1;']],
  },
  {
    name: 'the comments of MariaDB are comments',
    changes: [
      [/return code === 77 && (.*) \? at \+ 4 : -1;/, 'return code < 0 && $1 ? at + 4 : -1;'],
    ],
  },
  {
    name: 'no server skips an executable comment',
    changes: [
      [
        /return quotes && \(reading\.executable \|\| executable\);/,
        'return quotes && reading.executable && (reading.executable || executable);',
      ],
    ],
  },
  {
    name: 'NO_BACKSLASH_ESCAPES does not exist',
    changes: [[/escapesInSingle: false/, 'escapesInSingle: true']],
  },
  {
    name: 'a backslash escapes nothing',
    changes: [
      [
        /else if \(code === 92 && escapes\) \{(\s+at\+\+;\s+if \(codes\[at\] === 39\))/,
        'else if (code === 92 && escapes && at < 0) {$1',
      ],
    ],
  },
  {
    name: 'a backslash always escapes inside double quotes',
    changes: [
      [
        /const escapes = this\.#reading\.escapesInDouble;/,
        'const escapes = this.#reading.escapesInDouble || true;',
      ],
    ],
  },
  {
    name: 'a backslash escapes inside backquotes',
    changes: [[/if \(code !== 96\) \{/, 'if (code === 92) {\n at++;\n } else if (code !== 96) {']],
  },
  {
    name: 'double quotes hold a string',
    changes: [
      [
        /case token\.STRING:\s+case token\.DOUBLE_QUOTED:\s+return/,
        'case token.DOUBLE_QUOTED:\n return null;\n case token.STRING:\n return',
      ],
    ],
  },
  {
    name: 'brackets are no quotes',
    changes: [[/'\(\),\+%=<>!~\^&\|\{\}'/, "'(),+%=<>!~^&|{}[]'"]],
  },
  {
    name: 'a no-break space is white space',
    changes: [
      [/this\.#word\(at, WORD\) : this\.#fail\('unrecognised'\)/, 'this.#word(at, WORD) : at + 1'],
    ],
  },
  {
    name: 'a line separator and a byte order mark are white space',
    changes: [
      [
        /if \(code > LAST_DOUBTFUL\) return readWideWord/,
        'if (code > LAST_DOUBTFUL && !/\\s/.test(String.fromCharCode(code))) return readWideWord',
      ],
      [
        /return code > LAST_DOUBTFUL \?/,
        'return /\\s/.test(String.fromCharCode(code)) ? at + 1 : code > LAST_DOUBTFUL ?',
      ],
    ],
  },
  {
    name: '@ is part of a name',
    changes: [
      [/kind === DIGIT \|\| kind === DOLLAR/, 'kind === DIGIT || kind === DOLLAR || kind === AT'],
    ],
  },
  {
    name: 'user variables are harmless',
    changes: [
      [/return \{ reason: 'user-variable', word: variableName\(tokens, at\) \};/, 'break;'],
    ],
  },
  {
    name: 'what stands behind a semicolon is no statement',
    changes: [
      [/this\.multiple = this\.#firstSemicolon < tokens\.count;/, 'this.multiple = false;'],
    ],
  },
  {
    name: 'a built-in function may have white space before its parenthesis',
    changes: [[/PURE_TOUCHING && tokens\.touchesNext\(name\)/, 'PURE_TOUCHING']],
  },
  {
    name: 'a quoted built-in function is one',
    changes: [
      [
        /return isColumnList\(tokens, open\) \? null : judgeStoredFunction\(tokens, before\);/,
        'return isColumnList(tokens, open) || tokens.flags(before) & vocabulary.PURE ? null : judgeStoredFunction(tokens, before);',
      ],
    ],
  },
  {
    name: 'a qualified built-in function is one',
    changes: [
      [
        /if \(tokens\.type\(name - 1\) === token\.PERIOD\) return judgeStoredFunction\(tokens, name\);/,
        '',
      ],
    ],
  },
  {
    name: 'names in parentheses are columns',
    changes: [
      [
        /return isTableExpression\(tokens, at \+ 2\) \|\| isDerivedTable\(tokens, open - 1\);/,
        'return isTableExpression(tokens, at + 2) || isDerivedTable(tokens, open - 1) || true;',
      ],
    ],
  },
  {
    name: 'a clause word before a parenthesis is one everywhere',
    changes: [
      [/flags & vocabulary\.OPENING && opensClause\(tokens, name\)/, 'flags & vocabulary.OPENING'],
    ],
  },
  {
    name: 'the number of arguments is no matter',
    changes: [
      [
        /return fewest >= least && greatest <= most \? null :/,
        'return fewest >= least || greatest <= most ? null :',
      ],
    ],
  },
  {
    name: 'FOR does not lock inside parentheses',
    changes: [
      [
        /if \(tokens\.isOneOf\(at \+ 1, lockStrengths\)\) return/,
        'if (opener >= 0) return null;\n  if (tokens.isOneOf(at + 1, lockStrengths)) return',
      ],
    ],
  },
  {
    name: 'INTO behind UNION is none',
    changes: [
      [
        /if \(flags & vocabulary\.REFUSED && !called\) \{/,
        "if (flags & vocabulary.REFUSED && !called && !(reasons.get(tokens.word(at)) === 'into' && /union/i.test(tokens.sql))) {",
      ],
    ],
  },
  {
    name: 'CURRENT_USER is the name of a column',
    changes: [[/return \{ reason: 'session-function', word \};/, 'return null;']],
  },
  {
    name: 'hints set no variable',
    changes: [[/return 'variable-hint';/, 'return null;']],
  },
  {
    name: 'no variable hides in an XPath',
    changes: [[/return !text\.includes\('\$'\) && !text\.includes\('\\\\'\);/, 'return true;']],
  },
  {
    name: 'an XPath is one string',
    changes: [[/\|\| \(next !== token\.COMMA && next !== token\.CLOSE\)/, '|| next < 0']],
  },
  {
    name: 'a sequence has no columns',
    changes: [
      [
        /(function isQualified\(.*\{\s+)const before = tokens\.type\(at - 1\);/,
        '$1const before: number = -1;',
      ],
    ],
  },
  {
    name: 'NEXT VALUE FOR reads',
    changes: [
      [
        /if \(tokens\.is\(at - 1, 'value'\)\) return judgeSequence\(tokens, at\);/,
        "if (tokens.is(at - 1, 'value')) return null;",
      ],
    ],
  },
];
