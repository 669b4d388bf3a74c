// TEMPORARY placeholder by the lead so that the core runs; the statement helper overwrites this file.
import type { Dialect, Facts } from './facts.ts';

export interface ClassifierOptions {
  readonly dialect: Dialect;
  readonly pureFunctions?: readonly string[];
  readonly primaryTables?: readonly string[];
}
export interface Classifier {
  readonly dialect: Dialect;
  classify(sql: string): Facts;
}
export function createClassifier(options: ClassifierOptions): Classifier {
  return { dialect: options.dialect, classify };
}
function classify(sql: string): Facts {
  const text = sql.replace(/\/\*.*?\*\//gs, ' ').trim().toLowerCase();
  const hint = sql.includes('route:primary') ? 'primary' : null;
  const base = { word: null, pin: null, followUp: null, hint } as const;
  if (/^(select|\(select|with|table|values|explain)/.test(text) && !/for update|@|into|share|get_lock|update|delete/.test(text)) {
    const followUp = text.includes('found_rows()') ? 'previous' : text.includes('last_insert_id') ? 'insert' : null;
    return { ...base, kind: 'read', followUp, reason: followUp ? 'session-function' : null };
  }
  const kind = /^(begin|start transaction)/.test(text) ? 'begin' : /^commit/.test(text) ? 'commit' : /^rollback to|^savepoint|^release/.test(text) ? 'savepoint' : /^rollback/.test(text) ? 'rollback' : /^set transaction/.test(text) ? 'set-transaction' : /^set/.test(text) ? 'set' : /^(select|with)/.test(text) ? 'read' : 'write';
  return { ...base, kind, reason: 'not-a-read', pin: kind === 'set' ? 'session-variable' : null };
}
