import type { Lease, Traces } from '../pool/lease.ts';
import type { Role } from '../routing/reasons.ts';
import {
  afterConnectionLoss,
  afterLeaving,
  afterOther,
  cleaningOf,
  freshSession,
  isHeld,
  type SessionState,
} from '../session/state.ts';
import type { Statement } from './statement.ts';

/** LAST_INSERT_ID() is of the last one, or of one before it if the last named its id itself. */
const mostInserts = 4;

/** The primary's connection of the last insert, while the session reads on a replica. */
interface Parked {
  readonly lease: Lease;
  readonly insertIds: readonly string[];
  readonly mayHaveInserted: boolean;
}

/**
 * One logical client: what it has done, and the connection that it did it on. It uses one connection at
 * a time, and leaves it only when nothing of it is bound there. The one that it has inserted on is
 * remembered while it reads elsewhere.
 */
export class Session {
  state: SessionState = freshSession;
  /** What ran last on the connection; `null` if that is not known. */
  previous: Statement | null = null;
  /** The last insert ids that the server has told it on the connection. */
  #insertIds: readonly string[] = [];
  /** Whether it has inserted on a connection that it left since. */
  #hasInsertedElsewhere = false;
  #lease: Lease | null = null;
  #parked: Parked | null = null;
  /** Whether writes on the connection may not be told: it logged in anew, or somebody writes past us. */
  isUntracked = false;
  /** Whether the connection is laid aside, so that somebody else may take it. */
  #isRemembered = false;
  /** Whether nobody will say when the session is over. */
  #isBrief = false;
  /** Whether the connection must not be used again by anybody. */
  #isSpoiled = false;
  /** Whether what it holds there ends with the use of it. */
  #isEstranged = false;

  get lease(): Lease | null {
    return this.#lease;
  }

  get isOnPrimary(): boolean {
    return this.#lease?.role === 'primary' && !this.#isSpoiled;
  }

  /** Whether it has nothing but connections that somebody else may take. */
  get isLaidAside(): boolean {
    return this.#lease === null ? this.#parked !== null : this.#isRemembered;
  }

  /** Whether LAST_INSERT_ID() on its connection can be nobody else's, nor of another connection. */
  get isAloneWithInserts(): boolean {
    return this.#lease?.hasInsertsOfOthers === false && !this.#hasInsertedElsewhere;
  }

  /**
   * Whether LAST_INSERT_ID() on its connection, which says this id, speaks of this session.
   *
   * @param isHidden whether it may have inserted without being told.
   */
  ownsInsertId(id: string, isHidden: boolean): boolean {
    if (id === '0') {
      return !this.#hasInsertedElsewhere;
    }
    const lease = this.#lease;
    const isNew =
      lease?.knowsInsertsOfOthers === true &&
      lease.physical.inserted.isNewSince(lease.insertsBefore, id);
    return this.#insertIds.includes(id) || (isHidden && isNew);
  }

  /** Takes the connection that the next statements run on. */
  hold(lease: Lease): void {
    if (this.#lease !== lease) {
      this.letGo();
      this.#lease = lease;
    }
    if (lease.role === 'primary') {
      this.#endParked();
    }
  }

  /** Notes what the server has said of a statement that has run. */
  ran(statement: Statement | null, insertId: string | null): void {
    this.previous = statement;
    if (this.state.mayHaveInserted) {
      // Whoever has the connection next must know of ids that nobody was told.
      this.#lease?.physical.inserted.mayHaveMore();
    }
    if (insertId !== null && this.#lease !== null) {
      this.#lease.physical.inserted.tell(insertId);
      this.#insertIds = [...this.#insertIds.slice(1 - mostInserts), insertId];
    }
  }

  /** Marks the connection as one that is its user's alone, and closed with the end of that use. */
  estrange(): void {
    this.#isEstranged = true;
    this.#isSpoiled = true;
  }

  /** Marks the connection as one that must be closed instead of given back. */
  spoil(): void {
    this.#isSpoiled = true;
  }

  /** Gives the connection back, without what this session left in it; one that is spoiled is closed. */
  letGo(): void {
    const lease = this.#lease;
    const isSpoiled = this.#isSpoiled;
    this.#isSpoiled = false;
    this.#isEstranged = false;
    const isThere = lease !== null && this.#isStillThere(lease);
    this.#left();
    if (!isThere) {
      return;
    }
    const cleaning = isSpoiled ? 'close' : cleaningOf(this.state);
    switch (cleaning) {
      case 'none':
        lease.giveBack();
        break;
      case 'reset':
        lease.clean(tracesOf(this.state));
        break;
      case 'close':
        lease.discard();
        break;
    }
  }

  /** Gives back all that it has, without what this session left in it. */
  end(): void {
    this.letGo();
    this.#endParked();
  }

  /**
   * Leaves the connection for one of a host with this role. The primary's is remembered if it can be
   * asked for an insert id; and used again, if it is still there.
   *
   * @returns the connection to go on with; `null` if another one is needed.
   */
  moveTo(role: Role): Lease | null {
    if (role === 'replica') {
      this.#park();
      return null;
    }
    this.comeBack();
    if (!this.isOnPrimary) {
      this.letGo();
    }
    return this.#lease;
  }

  #park(): void {
    const { state } = this;
    const lease = this.#lease;
    const isOfUse = state.answers.includes('insert-id') || state.mayHaveInserted;
    if (lease === null || !this.isOnPrimary || isHeld(state) || !isOfUse) {
      this.letGo();
      return;
    }
    const { mayHaveInserted } = state;
    const wasElsewhere = this.#hasInsertedElsewhere;
    const parked = { lease, insertIds: this.#insertIds, mayHaveInserted };
    this.#left();
    this.#hasInsertedElsewhere = wasElsewhere;
    this.#parked = parked;
    lease.remember(this.#isBrief, () => this.#unparked(parked));
  }

  #unparked(parked: Parked): void {
    if (this.#parked === parked) {
      this.#parked = null;
    }
    this.#hasInsertedElsewhere = true;
  }

  /** Gives up the connection that it has left, for a newer one of the primary. */
  #endParked(): void {
    const parked = this.#parked;
    if (parked !== null) {
      this.#unparked(parked);
      if (parked.lease.recall()) {
        parked.lease.giveBack();
      }
    }
  }

  /** Uses the primary's connection again that it left to read elsewhere, if it is still there. */
  comeBack(): void {
    const parked = this.#parked;
    if (parked === null) {
      return;
    }
    this.letGo();
    this.#parked = null;
    if (parked.lease.recall()) {
      const { lease, insertIds, mayHaveInserted } = parked;
      this.#lease = lease;
      this.#insertIds = insertIds;
      this.state = { ...this.state, answers: ['insert-id'], mayHaveInserted };
    } else {
      this.#unparked(parked);
    }
  }

  /**
   * Leaves a connection that holds nothing, and whose host is another one by now than when it was taken.
   *
   * @param isPrimaryKnown whether the primary is sure to be the primary.
   */
  leaveIfReplaced(isPrimaryKnown: boolean): void {
    const lease = this.#lease;
    if (lease === null || isHeld(this.state)) {
      return;
    }
    const isInDoubt = lease.role === 'primary' && !isPrimaryKnown;
    if (isInDoubt || lease.role !== lease.host.role || lease.host.hasReplaced(lease)) {
      this.letGo();
      this.state = { ...this.state, hasWritten: false };
    }
  }

  /** The connection broke: it is closed, and what it held is lost. */
  loseConnection(): void {
    this.state = afterConnectionLoss(this.state);
    this.spoil();
    this.letGo();
  }

  /**
   * Between two statements of different users of this session: a connection that holds nothing is
   * laid aside for whoever needs it more.
   */
  layAside(): void {
    const lease = this.#lease;
    if (lease === null) {
      return;
    }
    const { state } = this;
    const isOfUse = state.answers.length > 0 || state.mayHaveInserted;
    if (this.#isEstranged) {
      this.letGo();
      this.state = { ...this.state, holds: [] };
    } else if (this.#isSpoiled || (!isHeld(state) && !isOfUse)) {
      this.letGo();
    } else if (!isHeld(state)) {
      this.#isRemembered = true;
      lease.remember(this.#isBrief, () => this.#left());
    }
  }

  /** It goes on as that of a flow, which may have inserted before, elsewhere, and asks the primary alone. */
  continueFlow(): void {
    if (!this.isOnPrimary) {
      this.letGo();
    }
    this.#isBrief = true;
    this.#hasInsertedElsewhere = true;
    this.state = { ...this.state, hasWritten: false, lost: null };
    this.layAside();
  }

  /** Something ran beside it: nobody knows what its connections would answer. */
  forgetAnswers(): void {
    this.state = afterLeaving(this.state);
    this.#endParked();
  }

  /** A statement of our own came after the last one: nothing is left to ask but the insert id. */
  forgetPrevious(): void {
    this.state = afterOther(this.state);
    this.previous = null;
  }

  /** Uses the connection that was laid aside again, if it is still there. */
  takeUp(): void {
    if (this.#lease !== null && !this.#isStillThere(this.#lease)) {
      this.#left();
    }
  }

  #isStillThere(lease: Lease): boolean {
    const wasRemembered = this.#isRemembered;
    this.#isRemembered = false;
    return !wasRemembered || lease.recall();
  }

  #left(): void {
    this.#hasInsertedElsewhere ||= this.state.mayHaveInserted || this.#insertIds.length > 0;
    this.#lease = null;
    this.#isRemembered = false;
    this.previous = null;
    this.#insertIds = [];
    this.state = afterLeaving(this.state);
  }
}

/** A procedure and a prepared statement may have changed the current database and the role as well. */
const hiding: ReadonlySet<string> = new Set(['prepared-statement', 'unknown-state']);

function tracesOf({ holds }: SessionState): Traces {
  const isHiding = holds.some(({ pin }) => hiding.has(pin));
  const hasUsed = holds.some(({ pin }) => pin === 'current-database');
  return { mayUseDatabase: isHiding || hasUsed, mayHaveRole: isHiding };
}
