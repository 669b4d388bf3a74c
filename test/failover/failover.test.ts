import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNoGroup } from '../support/servers/start-group.ts';
import { asynchronous, type Failover, failOver, group, type Stage } from './stages.ts';

const noGroup = await whyNoGroup();
if (noGroup !== undefined) {
  process.emitWarning(noGroup);
}

/** Errors of statements that were surely not carried out. */
const harmless: ReadonlySet<string> = new Set([
  // Inside of a transaction: it is rolled back.
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_RUN_HOOK_ERROR',
  'ER_TRANSACTION_ROLLBACK_DURING_COMMIT',
]);

describe.each<[string, () => Promise<Stage>]>([
  ['MySQL with asynchronous replication', () => asynchronous('mysql')],
  ['MariaDB with asynchronous replication', () => asynchronous('mariadb')],
  ...(noGroup === undefined
    ? [['MySQL Group Replication', group] satisfies [string, () => Promise<Stage>]]
    : []),
])('%s', (_name, start) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await start();
  });
  afterAll(() => stage.stop());

  it.each(['move', 'fail'] as const)(
    'goes on after a %s of the primary: nothing lost, nothing doubled',
    async (how) => {
      if (how === 'fail') {
        await stage.stop();
        stage = await start();
      }
      const failover = await failOver(stage, how);
      const { there, acknowledged, failed, failedReads } = failover;
      const found = new Set(there);
      expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
      expect(found.size).toBe(there.length);
      expect(failed.filter(({ id }) => found.has(id))).toEqual([]);
      expect(failed.filter(({ code }) => !harmless.has(code))).toEqual([]);
      expect(failedReads).toEqual([]);
      expect(isAccountedFor(failover)).toBe(true);
    },
    120_000,
  );
});

/** Whatever is there was acknowledged, or its outcome was said to be unknown. */
function isAccountedFor({ there, acknowledged, unknown }: Failover): boolean {
  const known = new Set([...acknowledged, ...unknown]);
  return there.every((id) => known.has(id));
}
