import { setTimeout as sleep } from 'node:timers/promises';
import { openSession, type ReplicatedPool, withSession } from '@rwsplit/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Flavor, flavors } from '../../support/servers/flavor.ts';
import { type OwnedCluster, startCluster } from '../../support/servers/start-cluster.ts';
import { Bed, look, through, untilReplica } from './bed.ts';

const refused = { code: 'RWSPLIT_TOKEN' };

const uuid = '1'.repeat(32);

/** Texts that no session has given, for whatever server. */
const malformed: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['text', 'none'],
  ['another version', `2~!m${uuid}.1-5`],
  ['no position', '1~!'],
  ['an unknown kind', '1~!x1'],
  ['SQL', "1~!m'); DROP TABLE note; --"],
  ['SQL behind a set', `1~!m${uuid}.1-5'), SLEEP(10`],
  ['SQL in a name', "1~'!t1"],
  ['a space', `1~!m${uuid}.1 -5`],
  ['a line break', `1~!m${uuid}.1-5\n`],
  ['a set of MySQL that is one of MariaDB', '1~!m0-1-1'],
  ['a set of MariaDB that is one of MySQL', `1~!d${uuid}.1-5`],
  ['numbers that are none', '1~!d0-1-1e3'],
  ['one that is too great', '1~!d0-1-99999999999999999999999'],
  ['the same servers twice', '1~!t1~!t2'],
  ['one that is too long', `1~!t1${'0'.repeat(1_000)}`],
  ['too many clusters', `1${Array.from({ length: 20 }, (_, i) => `~${i}!t1`).join('')}`],
];

/** With the right grammar, and nothing that a server here has given. */
const foreign: Readonly<Record<Flavor, readonly string[]>> = {
  mysql: [`1~!m${uuid}.1-5`, `1~!m${'f'.repeat(32)}.9223372036854775000`, '1~!d7-7-7'],
  mariadb: ['1~!d7-7-7', '1~!d0-1-18446744073709551615', `1~!m${uuid}.1-5`],
};

describe('a malformed token', () => {
  it.each(malformed)('is refused at once: %s', async (_what, after) => {
    let isCalled = false;
    const fn = () => {
      isCalled = true;
    };
    await expect(withSession({ after }, fn)).rejects.toMatchObject(refused);
    await withSession(async () => {
      await expect(withSession({ after }, fn)).rejects.toMatchObject(refused);
    });
    expect(() => openSession({ after })).toThrow(expect.objectContaining(refused));
    expect(isCalled).toBe(false);
  });

  it.each(malformed)('is not in the message of its error: %s', async (_what, after) => {
    const error = await withSession({ after }, () => {}).catch((caught: unknown) => caught);
    if (after.length > 5) expect(String(error)).not.toContain(after);
    expect(String(error)).toContain(`${after.length} characters`);
  });

  it.each(malformed)('is none where it is ignored: %s', async (_what, after) => {
    const token = await withSession({ after, onBadToken: 'ignore' }, (session) => session.token());
    expect(token).toBeNull();
  });
});

describe.each(flavors)('%s', (flavor) => {
  let bed: Bed;
  let last = 0;

  beforeAll(async () => {
    bed = new Bed(await startCluster({ flavor, replicas: 1 }));
    await bed.create(['CREATE TABLE note (id INT PRIMARY KEY)']);
  });
  afterAll(() => bed[Symbol.asyncDispose]());
  afterEach(() => bed.closePools());

  const insert = () => {
    last += 1;
    return `INSERT INTO note (id) VALUES (${last})`;
  };
  const reading = () => `SELECT id FROM note WHERE id = ${last}`;

  /** What the servers were sent since, by anybody. */
  async function watchSent(cluster: OwnedCluster): Promise<() => Promise<string[]>> {
    const marks = await Promise.all(cluster.all.map((server) => server.mark()));
    return async () => {
      const sent = await Promise.all(
        cluster.all.map((server, index) => server.statements({ since: marks[index] ?? never() })),
      );
      return sent.flat().map(({ sql }) => sql);
    };
  }

  /** Nothing of a token reaches a server but numbers and hexadecimal digits, as one text. */
  function expectClean(sent: readonly string[]): void {
    const waits = sent.filter((sql) => /WAIT/i.test(sql));
    for (const sql of waits) {
      expect(sql).toMatch(
        /^SELECT (WAIT_FOR_EXECUTED_GTID_SET|MASTER_GTID_WAIT)\('[0-9a-f:,-]*', [0-9.]+\) AS reached$/,
      );
    }
  }

  describe.each(foreign[flavor])('a foreign token %s', (after) => {
    it('is refused by each plain read, and by nothing else', async () => {
      const pool = bed.open();
      await withSession({ after }, async () => {
        for (let i = 0; i < 3; i++) {
          await expect(through(pool)('SELECT id FROM note')).rejects.toMatchObject(refused);
        }
        await through(pool)(insert());
        expect(await through(pool)(`${reading()} FOR UPDATE`)).toEqual([{ id: last }]);
        await expect(through(pool)('SELECT id FROM note')).rejects.toMatchObject(refused);
      });
      await withSession(async () => {
        expect((await look(through(pool))).role).toBe('replica');
      });
    });

    it('is none where it is ignored', async () => {
      const pool = bed.open();
      await withSession({ after, onBadToken: 'ignore' }, async () => {
        expect(await look(through(pool))).toMatchObject({ role: 'replica' });
        await through(pool)(insert());
        const seen = await untilReplica(() => look(through(pool), reading()));
        expect(seen.rows).toEqual([{ id: last }]);
      });
    });

    it('reaches no server as SQL, and no replica as long as the primary answers', async () => {
      const pool = bed.open();
      const sent = await watchSent(bed.cluster);
      await withSession({ after }, () => through(pool)('SELECT 1')).catch(() => {});
      const texts = await sent();
      expectClean(texts);
      expect(texts.filter((sql) => /WAIT/i.test(sql))).toEqual([]);
    });
  });

  it('slows down nobody else', async () => {
    const pool = bed.open({ causalWait: 2_000 });
    await through(pool)(insert());
    await untilReplica(() => look(through(pool), reading()));
    const sent = await watchSent(bed.cluster);
    let isOver = false;
    let refusals = 0;
    const forgers = foreign[flavor].map(async (after) => {
      while (!isOver) {
        const read = withSession({ after }, () => through(pool)('SELECT 1'));
        await expect(read).rejects.toMatchObject(refused);
        refusals += 1;
      }
    });
    try {
      for (let i = 0; i < 20; i++) {
        await withSession(async () => {
          await through(pool)(insert());
          const seen = await look(through(pool), reading());
          expect(seen).toMatchObject({ rows: [{ id: last }], role: 'replica', reason: 'read' });
        });
      }
    } finally {
      isOver = true;
      await Promise.all(forgers);
    }
    expect(refusals).toBeGreaterThan(0);
    const texts = await sent();
    expectClean(texts);
    expect(texts.some((sql) => /WAIT/.test(sql))).toBe(true);
  });

  it('of a session with two pools says what it has written by both', async () => {
    // A name stands for the same servers in all of a process.
    const names = { one: `one-${flavor}`, two: `two-${flavor}` };
    const [one, two] = [bed.open({ cluster: names.one }), bed.open({ cluster: names.two })];
    const token = await withSession(async (session) => {
      await through(one)(insert());
      expect(session.token()).toMatch(/^1~one-[^~]+$/);
      await through(two)(insert());
      return session.token();
    });
    expect(token).toMatch(/^1~one-[^~]+~two-[^~]+$/);
    await bed.cluster.waitUntilReplicated();
    await bed.hold();
    try {
      const held = await withSession({ after: token ?? 'none' }, async (session) => {
        await through(two)(insert());
        const again = session.token();
        expect(again).toMatch(/^1~two-[^~]+~one-[^~]+$/);
        return again;
      });
      await withSession({ after: held ?? 'none' }, async () => {
        const first = bed.open({ cluster: names.one });
        const second = bed.open({ cluster: names.two, causalWait: 20 });
        expect((await look(through(first))).role).toBe('replica');
        expect(await look(through(second), reading())).toMatchObject({
          rows: [{ id: last }],
          reason: 'replicas-behind',
        });
      });
    } finally {
      await bed.apply();
    }
  });

  it('of a time in the future asks for one window', async () => {
    const pool = bed.open({ causalWindow: 600_000 });
    const quick = bed.open({ causalWindow: 1 });
    await withSession({ after: '1~!t8640000000000000' }, async () => {
      expect(await look(through(pool))).toMatchObject({ reason: 'causal-window', waited: 0 });
    });
    await withSession({ after: '1~!t8640000000000000' }, async () => {
      expect((await untilReplica(() => look(through(quick)))).role).toBe('replica');
    });
    await withSession({ after: '1~!t0' }, async () => {
      expect((await look(through(pool))).role).toBe('replica');
    });
  });

  it('disturbs nobody whom replicas are known to satisfy while the primary is gone', async () => {
    const pool = bed.open({ causalWait: 50 });
    const others = () => look(through(pool), reading());
    await through(pool)(insert());
    await bed.cluster.waitUntilReplicated();
    const known = { rows: [{ id: last }], role: 'replica', reason: 'read', waited: 0 };
    await expect.poll(others, { timeout: 10_000 }).toMatchObject(known);
    await bed.cluster.primary.kill();
    try {
      for (const after of foreign[flavor]) {
        for (const onBadToken of ['error', 'ignore'] as const) {
          const forged = withSession({ after, onBadToken }, () => through(pool)('SELECT 1'));
          forged.catch(() => {});
          expect(await others()).toMatchObject(known);
          await forged.catch(() => {});
          for (let i = 0; i < 5; i++) {
            await sleep(20);
            expect(await others()).toMatchObject(known);
          }
        }
      }
    } finally {
      await bed.cluster.primary.restart();
    }
  });

  it('reaches no replica as SQL while nobody can ask the primary', async () => {
    const pool: ReplicatedPool = bed.open({ causalWait: 300 });
    await withSession(() => look(through(pool)));
    await bed.cluster.primary.kill();
    try {
      const sent = await watchSent(bed.cluster);
      for (const after of foreign[flavor]) {
        await withSession({ after }, () => through(pool)('SELECT 1')).catch(() => {});
      }
      expectClean(await sent());
    } finally {
      await bed.cluster.primary.restart();
    }
  });
});

function never(): never {
  throw new Error('one mark for each server');
}
