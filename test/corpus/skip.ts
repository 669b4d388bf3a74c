/**
 * Statements of the test suites that are not replayed: each would disturb other files, the server
 * or the machine. Tried on the text without its leading comments.
 */
const rules: readonly (readonly [why: string, pattern: RegExp])[] = [
  ['ends the server', /^(?:SHUTDOWN|RESTART|ALTER\s+INSTANCE|CLONE)\b/i],
  ['ends a session', /^KILL\b|\b(?:wait_timeout|interactive_timeout|net_\w+_timeout)\b.*=/is],
  ['releases the session', /\bRELEASE\s*;?$|\bcompletion_type\b.*=/is],
  ['changes the server', /^SET\b.*?\b(?:GLOBAL|PERSIST|PERSIST_ONLY)\b/is],
  ['changes the server', /^(?:RESET|PURGE|FLUSH|INSTALL|UNINSTALL|BINLOG|BACKUP)\b/i],
  ['changes the server', /^(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:UNDO\s+)?TABLESPACE\b/i],
  [
    'changes the server',
    /^(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:SERVER|LOGFILE|RESOURCE|SPATIAL\s+REF|LIBRARY)/i,
  ],
  [
    'replication',
    /^(?:CHANGE|START|STOP)\s+(?:ALL\s+)?(?:MASTER|REPLICA|SLAVE|REPLICATION|GROUP)/i,
  ],
  ['accounts', /^(?:GRANT|REVOKE|RENAME\s+USER|SET\s+(?:PASSWORD|ROLE|DEFAULT\s+ROLE))\b/i],
  ['accounts', /^(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:USER|ROLE)\b/i],
  [
    'accounts',
    /\bSET\s+PASSWORD\b|\b(?:ALTER|CREATE|DROP|RENAME)\s+USER\b|\bIDENTIFIED\s+(?:BY|VIA|WITH)\b/i,
  ],
  ['XA', /^XA\b/i],
  ['locks the server', /^LOCK\s+(?:INSTANCE|BINLOG|TABLES\s+FOR\s+BACKUP)/i],
  [
    'system tables',
    /^(?!SELECT|WITH|\(|EXPLAIN|DESC|SHOW|SET|TABLE)(?=.*\b(?:mysql|sys|performance_schema|information_schema)`?\s*\.)/is,
  ],
  ['system tables', /^USE\s+`?(?:mysql|sys|performance_schema|information_schema)\b/i],
  ['system tables', /^(?:ALTER|DROP|CREATE)\s+(?:DATABASE|SCHEMA).*\b(?:mysql|sys)\b/is],
  ['files', /\b(?:OUTFILE|DUMPFILE)\b/i],
  ['files', /^LOAD\b|\b(?:DATA|INDEX)\s+DIRECTORY\b/i],
  ['loadable functions', /\bSONAME\b/i],
  ['long', /\bSLEEP\s*\(\s*[1-9]|\bBENCHMARK\s*\(\s*\d{6}|\bWAIT_FOR_|\bMASTER_(?:POS|GTID)_WAIT/i],
  ['long', /\bGET_LOCK\s*\([^()]*,\s*(?:-|\d\d)/i],
  ['odd characters', /\ufffd/],
];

/** Why this statement is not replayed; `undefined` if it is. */
export function whySkipped(sql: string): string | undefined {
  const text = withoutLeadingComments(sql);
  return rules.find(([, pattern]) => pattern.test(text))?.[0];
}

/** Leading white space, comments and the openings of executable comments removed. */
export function withoutLeadingComments(sql: string): string {
  return sql.replace(
    /^(?:\s+|#[^\n]*\n|--\s[^\n]*\n|\/\*M?!\d*|\/\*(?!M?!)(?:(?!\*\/)[\s\S])*\*\/)+/,
    '',
  );
}
