import type { Failure } from '../routing/failure.ts';
import type { DriverError } from './mysql2.ts';

/** Says which kind of failure an error is. Source: MySQL Error Message Reference, and facts §4.4. */
export function failureOf(error: DriverError): Failure {
  if (error.code === 'PROTOCOL_SEQUENCE_TIMEOUT') {
    return 'timeout';
  }
  if (error.errno !== undefined && lacking.has(error.errno)) {
    return 'differs';
  }
  if (error.errno === goodbye) {
    return 'not-sent';
  }
  if (error.errno === readOnlyTransaction) {
    return 'read-only';
  }
  if (isRefusedByServer(error)) {
    return 'demoted';
  }
  if (error.errno !== undefined && leaving.has(error.errno)) {
    return 'connection';
  }
  if (error.fatal === true && error.code === undefined) {
    // mysql2 gives each of its own a code, but for one.
    return error.message.includes('closed state') ? 'not-sent' : 'client';
  }
  if (isOfThisProcess(error)) {
    return error.fatal === true ? 'client' : 'statement';
  }
  const isLost = error.fatal === true || networkCodes.has(String(error.code));
  return isLost ? 'connection' : 'statement';
}

/** What mysql2 or Node throws for a value, such as ERR_INVALID_ARG_TYPE, is no word of the server's. */
function isOfThisProcess(error: DriverError): boolean {
  return error instanceof TypeError || error instanceof RangeError;
}

/**
 * ER_SERVER_SHUTDOWN: the statement was ended by the server going down; the socket follows. MariaDB's
 * ER_CONNECTION_KILLED. ER_SERVER_OFFLINE_MODE, and the same with its reason, as a member says it that
 * has left its group.
 */
const leaving: ReadonlySet<number> = new Set([1053, 1927, 3032, 6400]);

const networkCodes: ReadonlySet<string> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
]);

/**
 * A replica may lack these while it lags, or for good: unknown database, table, column, function,
 * index, view; and the rights to them.
 */
const lacking: ReadonlySet<number> = new Set([
  1044, 1046, 1049, 1054, 1109, 1142, 1143, 1146, 1176, 1305, 1356, 1370,
]);

/**
 * ER_CLIENT_INTERACTION_TIMEOUT: said by a server that closes an idle connection. mysql2 takes it for the answer
 * to what was sent meanwhile, and nobody has read.
 */
const goodbye = 4031;

/** ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION. */
const readOnlyTransaction = 1792;

/**
 * ER_READ_ONLY_MODE; ER_OPTION_PREVENTS_STATEMENT has other causes too (`--secure-file-priv`), which
 * only its text tells apart.
 */
function isRefusedByServer(error: DriverError): boolean {
  switch (error.errno) {
    case 1836:
      return true;
    case 1290:
      return /read[-_]only/i.test(error.message);
    default:
      return false;
  }
}

/** Whether a failure to connect is no fault of the host: no room on the server or in the pool, or no pool. */
export function isBusy(error: DriverError): boolean {
  return (
    error.errno === 1040 ||
    error.errno === 1203 ||
    error.errno === 1226 ||
    error.message === 'Queue limit reached.' ||
    error.message === 'No connections available.' ||
    error.code === 'RWSPLIT_POOL_CLOSED'
  );
}

/** The code of an error for statistics and warnings; never its text, which may name accounts. */
export function codeOf(error: DriverError): string {
  return String(error.code ?? error.errno ?? error.name);
}

/** Whether the server itself has said so. */
export function isOfServer({ errno }: DriverError): boolean {
  return errno !== undefined && errno > 0;
}

/** Whether a connection could not be had because nobody answers, or not in the protocol. */
export function isUnreachable(error: DriverError): boolean {
  const isOfNetwork = error.errno === undefined || error.errno < 0 || 'syscall' in error;
  const code = String(error.code);
  return (isOfNetwork && unreachable.has(code)) || networkCodes.has(code);
}

const unreachable: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
]);
