/** What an error of a statement says about the connection, the host and the statement. */
export type Failure =
  /** The statement never left this process: it may run anywhere else. */
  | 'not-sent'
  /** The connection broke under the statement; nobody knows how far it came. */
  | 'connection'
  /** The transaction is read-only, and it would write. Nothing was executed. */
  | 'read-only'
  /** The server takes no writes. Nothing was executed. */
  | 'demoted'
  /** The server does not know what the statement names, or this account may not see it. */
  | 'differs'
  /** A mistake of this process broke the connection: values that cannot be sent, a type cast that threw. */
  | 'client'
  /** The caller stopped waiting; the server goes on with it. */
  | 'timeout'
  /** The statement's own error. */
  | 'statement';
