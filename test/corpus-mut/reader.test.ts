import { describe, expect, it } from 'vitest';
import { readTestFile } from './reader.ts';

/** Statements of a text; a source is `< path`. */
function stepsOf(text: string): string[] {
  return readTestFile(text).steps.map((step) =>
    step.kind === 'statement' ? step.sql : `< ${step.path}`,
  );
}

describe('the reader of test files', () => {
  it.each<[why: string, text: string, steps: string[]]>([
    ['statements end at the delimiter', 'SELECT 1;\nSELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['two on a line', 'SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['over many lines', 'SELECT 1,\n\n  2\n;', ['SELECT 1,\n\n  2']],
    ['no delimiter at the end', 'SELECT 1', ['SELECT 1']],
    ['a delimiter in quotes', `SELECT ';', "a;", \`b;\`;`, [`SELECT ';', "a;", \`b;\``]],
    ['an escaped quote', `SELECT 'it\\'s;';`, [`SELECT 'it\\'s;'`]],
    ['comments between statements', '# a; b\nSELECT 1;\n#c', ['SELECT 1']],
    ['a comment inside a statement is sent', 'SELECT 1\n# one;\n', ['SELECT 1\n# one']],
    ['a single dash begins a comment', '- not SQL;\nSELECT 1;', ['SELECT 1']],
    ['commands of a line', '--error ER_X\nSELECT 1;\n--echo it is\n-- sleep 5', ['SELECT 1']],
    ['commands with a delimiter', 'disable_warnings;\nSELECT 1;\nsleep 5;', ['SELECT 1']],
    ['dashes without a command', '--this is prose\nSELECT 1;', ['SELECT 1']],
    ['another delimiter', 'delimiter |;\nBEGIN; END|\ndelimiter ;|\nDO 1;', ['BEGIN; END', 'DO 1']],
    [
      'another one of two letters',
      '--DELIMITER //\nA; B//\n--delimiter ;\nDO 1;',
      ['A; B', 'DO 1'],
    ],
    [
      'variables of the test are not SQL',
      'let $a = SELECT 1;\n--let $b= 2\nSELECT 1;',
      ['SELECT 1'],
    ],
    ['eval without a variable', 'eval SELECT 1;\n--eval SELECT 2', ['SELECT 1', 'SELECT 2']],
    ['eval with a variable', 'eval SELECT $a;\n--eval SELECT $b;\nDO 1;', ['DO 1']],
    ['eval with an escaped dollar', `eval SELECT '\\$.a', "\\\\";`, [`SELECT '$.a', "\\"`]],
    ['a dollar without eval', `SELECT '$.a';`, [`SELECT '$.a'`]],
    [
      'statements sent by commands',
      'send SELECT 1;\nreap;\nquery_vertical SELECT 2;',
      ['SELECT 1', 'SELECT 2'],
    ],
    [
      'blocks count once',
      'while ($i)\n{\n  SELECT 1;\n  dec $i;\n}\nSELECT 2;',
      ['SELECT 1', 'SELECT 2'],
    ],
    ['a condition with quotes', `if (\`SELECT ';' = "{"\`) {\n--skip no\n}\nDO 1;`, ['DO 1']],
    ['IF of SQL is no block', 'SELECT IF(a, b, c) FROM t;', ['SELECT IF(a, b, c) FROM t']],
    [
      'sources',
      '--source include/a.inc\nsource b.inc;\nDO 1;',
      ['< include/a.inc', '< b.inc', 'DO 1'],
    ],
    ['a source with a variable', '--source $file\nDO 1;', ['DO 1']],
    ['lines of a script', '--perl\nprint "x;";\nEOF\nSELECT 1;', ['SELECT 1']],
    ['lines up to a word', 'perl END;\nEOF\nprint;\nEND\nSELECT 1;', ['SELECT 1']],
    ['lines of a file', 'write_file $DIR/x.sql;\nSELECT 0;\nEOF\nSELECT 1;', ['SELECT 1']],
    ['lines of a file up to a word', '--append_file $X END_OF\na;\nEOF\nEND_OF\nDO 1;', ['DO 1']],
    ['what is switched off', '--disable_parsing\nSELECT 1;\n--enable_parsing\nDO 1;', ['DO 1']],
    ['nothing', '', []],
    ['only space', ' \n\t', []],
  ])('%s', (_why, text, steps) => {
    expect(stepsOf(text)).toEqual(steps);
  });

  it('counts what it leaves out for a variable', () => {
    const text = 'eval SELECT $a;\n--source $b\n--disable_parsing\neval DO $c;';
    expect(readTestFile(text).withVariable).toBe(2);
  });
});
