import type { GtidDialect } from '../gtid/set.ts';

/** What a server's answer says of its session. */
export interface Response {
  /** The status flags of the OK packet; `null` where the answer has none (a result set). */
  readonly serverStatus: number | null;
  /** The insert id of the OK packet; `null` where there is none, or none was generated. */
  readonly insertId: string | null;
  /** Whether the server's tracker tells of session state that changed. */
  readonly hasChangedState: boolean;
  /** The GTIDs of what it has committed, in the words of the server; `null`: the answer tells of none. */
  readonly gtids: { readonly text: string; readonly dialect: GtidDialect } | null;
  /** Whether it has rows, with which no GTIDs are told. */
  readonly hasRows: boolean;
  /** Whether it says that a statement has changed, deleted or found nothing. */
  readonly isIdle: boolean;
}
