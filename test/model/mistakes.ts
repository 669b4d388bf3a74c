import type { Kind } from './plan.ts';

/** A file of the sources, what stands in it once, and what a mistake makes of it. */
export type Change = readonly [file: string, pattern: RegExp, replacement: string];

/** A way for core to be wrong. */
export interface Mistake {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly kinds: readonly Kind[];
}

/** What the model must notice. */
export const mistakes: readonly Mistake[] = [
  {
    name: 'gives a connection back without the reset',
    changes: [
      [
        'session/state.ts',
        /if \(!isHeld\(state\)\) \{\n {4}return 'none';/,
        "{\n    return 'none';",
      ],
    ],
    kinds: ['connection'],
  },
  {
    name: 'answers LAST_INSERT_ID() on any connection of the primary',
    changes: [
      [
        'routing/follow-up.ts',
        /return state\.answers/,
        "return answer === 'insert-id' || state.answers",
      ],
      ['connection/check-session.ts', /!session\.isAloneWithInserts/, 'false'],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'answers ROW_COUNT() and the like on any connection',
    changes: [
      [
        'routing/follow-up.ts',
        /return state\.answers/,
        "return answer !== 'insert-id' || state.answers",
      ],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'reads on a replica while the session has a temporary table',
    changes: [
      [
        'session/predict.ts',
        /const after = pin === null/,
        "const after = pin === null || pin === 'temporary-table'",
      ],
      [
        'session/predict.ts',
        /\|\| mayWrite\(facts\)/,
        "|| (mayWrite(facts) && pin !== 'temporary-table')",
      ],
    ],
    kinds: ['connection', 'scope'],
  },
  {
    name: 'does not stay where a session variable was set',
    changes: [
      [
        'session/predict.ts',
        /const after = pin === null/,
        "const after = pin === null || pin === 'session-variable'",
      ],
    ],
    kinds: ['connection', 'scope'],
  },
  {
    name: 'takes every replica for one that has all',
    changes: [['consistency/watch.ts', /has\(set: GtidSet\): boolean \{/, '$& return true;']],
    kinds: ['alone', 'scope'],
  },
  {
    name: 'forgets what a session has written',
    changes: [['consistency/marks.ts', /\(gtids === null \|\| has\(gtids\)\) &&/, '']],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'forgets what the process has written',
    changes: [['consistency/need.ts', /\(own === null \|\| has\(own\)\) &&/, '']],
    kinds: ['alone', 'connection'],
  },
  {
    name: 'does not note what COMMIT tells of',
    changes: [
      ['session/written.ts', /return response\.gtids === null/, "$& || facts.kind === 'commit'"],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'does not ask for what the answer of a write hides',
    changes: [['session/written.ts', /return hidden;/, 'return none;']],
    kinds: ['alone', 'scope'],
  },
  {
    name: 'goes on on another replica with each read',
    changes: [
      ['consistency/marks.ts', /return this\.#places\.size === 0/, 'return true'],
      ['consistency/placement.ts', /preferred: scope\?\.preferred \?\? null/, 'preferred: null'],
      [
        'connection/replica-search.ts',
        /held\?\.role === 'replica' && offered/,
        "held?.role === 'primary' && offered",
      ],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'forgets that a session has read on the primary',
    changes: [['consistency/marks.ts', /this\.#onPrimary = this\.#reads;/, '']],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'comes back to a connection that somebody else has taken',
    changes: [
      [
        'connection/session.ts',
        /if \(parked\.lease\.recall\(\)\) \{(?=\s+const)/,
        'if (parked.lease.recall() || true) {',
      ],
      ['connection/session.ts', /\(\) => this\.#unparked\(parked\)/, '() => {}'],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'asks a replica for the last insert',
    changes: [
      ['connection/run-statement.ts', /session\.comeBack\(\);/, ''],
      [
        'session/state.ts',
        /function afterLeaving\(state: SessionState\): SessionState \{/,
        '$& return state;',
      ],
    ],
    kinds: ['handle', 'scope'],
  },
  {
    name: 'answers for a read on a replica when it is back on the primary',
    changes: [
      [
        'connection/session.ts',
        /answers: \['insert-id'\], mayHaveInserted/,
        "answers: ['insert-id', 'found-rows', 'row-count', 'diagnostics'], mayHaveInserted",
      ],
    ],
    kinds: ['handle', 'scope'],
  },
];

/** One that nobody can call wrong: it refuses what it could answer. */
export const forgetful: Mistake = {
  name: 'remembers no connection while it reads elsewhere',
  changes: [
    [
      'connection/session.ts',
      /if \(lease === null \|\| !this\.isOnPrimary/,
      'if (true || lease === null',
    ],
  ],
  kinds: ['handle', 'scope'],
};
