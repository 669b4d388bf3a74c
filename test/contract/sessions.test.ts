import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flavors } from '../support/servers/flavor.ts';
import { freshDatabase, sharedCluster } from '../support/shared-cluster.ts';
import { type Api, apis } from './apis.ts';

let nextTag = 0;

describe.each(flavors)('%s', async (flavor) => {
  const cluster = sharedCluster(flavor);
  const database = await freshDatabase(cluster);

  beforeAll(async () => {
    await cluster.primary.query(
      `CREATE TABLE ${database.name}.account (id INT PRIMARY KEY, amount INT)`,
    );
  });

  beforeEach(async () => {
    await cluster.primary.query(`REPLACE INTO ${database.name}.account VALUES (1, 100), (2, 0)`);
    await cluster.waitUntilReplicated();
  });

  describe.each(Object.keys(apis) as (keyof typeof apis)[])('%s', (name) => {
    let api: Api;
    beforeAll(async () => {
      api = apis[name]({
        primary: database.connectionOptions(cluster.primary),
        replicas: cluster.replicas.map((server) => database.connectionOptions(server)),
        // A replica that has not caught up yet must not change where things run.
        causalWait: 10_000,
      });
    });
    afterAll(() => api.close());

    /** A text with a tag of its own, and who ran it by the servers' logs. */
    function mark(sql: string) {
      const tag = `session-${flavor}-${nextTag++}-${process.pid}-`;
      const who = async () => (await cluster.whoRan(tag)).map(({ server }) => server);
      const thread = async () => (await cluster.whoRan(tag)).map(({ threadId }) => threadId);
      return { sql: `/* ${tag} */ ${sql}`, who, thread };
    }

    async function amounts(): Promise<unknown> {
      return cluster.primary.query(`SELECT id, amount FROM ${database.name}.account ORDER BY id`);
    }

    it('runs a transaction on one connection of the primary, reads and all, and commits it', async () => {
      const read = mark('SELECT amount FROM account WHERE id = 1');
      const write = mark('UPDATE account SET amount = amount - 10 WHERE id = 1');
      const again = mark('SELECT amount FROM account WHERE id = 1');
      await api.transaction(async (run) => {
        expect(await run(read.sql)).toEqual([{ amount: 100 }]);
        await run(write.sql);
        expect(await run(again.sql)).toEqual([{ amount: 90 }]);
      });
      expect(await read.who()).toEqual(['primary']);
      expect(await again.who()).toEqual(['primary']);
      const threads = [await read.thread(), await write.thread(), await again.thread()].flat();
      expect(new Set(threads).size).toBe(1);
      expect(await amounts()).toEqual([
        { id: 1, amount: 90 },
        { id: 2, amount: 0 },
      ]);
    });

    it('rolls a transaction back', async () => {
      const failure = new Error('no');
      const work = api.transaction(async (run) => {
        await run('UPDATE account SET amount = 0 WHERE id = 1');
        throw failure;
      });
      await expect(work).rejects.toBe(failure);
      expect(await amounts()).toContainEqual({ id: 1, amount: 100 });
    });

    it('rolls back to a savepoint and keeps the rest', async () => {
      const read = mark('SELECT amount FROM account WHERE id = 1');
      await api.transaction(async (run, nested) => {
        await run('UPDATE account SET amount = 50 WHERE id = 1');
        await nested(async (inner) => {
          await inner('UPDATE account SET amount = 7 WHERE id = 1');
          throw new Error('inner');
        }).catch(() => {});
        expect(await run(read.sql)).toEqual([{ amount: 50 }]);
      });
      expect(await read.who()).toEqual(['primary']);
      expect(await amounts()).toContainEqual({ id: 1, amount: 50 });
    });

    it('reads on a replica again after the transaction', async () => {
      await api.transaction(async (run) => {
        await run('SELECT amount FROM account');
      });
      const read = mark('SELECT amount FROM account');
      await api.run(read.sql);
      expect(await read.who()).toEqual([expect.stringMatching(/^replica-/)]);
    });

    it('takes a reserved connection from a replica to the primary when it writes, and keeps it there', async () => {
      const read = mark('SELECT amount FROM account WHERE id = 2');
      const write = mark('UPDATE account SET amount = 5 WHERE id = 2');
      const again = mark('SELECT amount FROM account WHERE id = 2');
      await api.withConnection(async (run) => {
        await run(read.sql);
        await run(write.sql);
        expect(await run(again.sql)).toEqual([{ amount: 5 }]);
      });
      expect(await read.who()).toEqual([expect.stringMatching(/^replica-/)]);
      expect(await write.who()).toEqual(['primary']);
      expect(await again.who()).toEqual(['primary']);
    });

    it('keeps a reserved connection with session state on it, and hands the state to nobody', async () => {
      const read = mark('SELECT @@max_sort_length AS length');
      const plain = mark('SELECT amount FROM account');
      await api.withConnection(async (run) => {
        await run('SET SESSION max_sort_length = 77');
        expect(await run(read.sql)).toEqual([{ length: 77 }]);
        await run(plain.sql);
      });
      expect(await plain.who()).toEqual(['primary']);
      for (let index = 0; index < 5; index++) {
        expect(await api.run('SELECT @@max_sort_length AS length')).not.toEqual([{ length: 77 }]);
      }
    });

    it('answers FOUND_ROWS() and LAST_INSERT_ID() on the connection that they ask about', async () => {
      await cluster.primary.query(
        `CREATE TABLE IF NOT EXISTS ${database.name}.note (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(9))`,
      );
      await cluster.waitUntilReplicated();
      const found = mark('SELECT FOUND_ROWS() AS n');
      await api.withConnection(async (run) => {
        await run('SELECT id FROM account');
        expect(await run(found.sql)).toEqual([{ n: 2 }]);
        await run("INSERT INTO note (id, text) VALUES (NULL, 'a')");
        const [{ id }] = (await run('SELECT LAST_INSERT_ID() AS id')) as [{ id: number }];
        expect(await run(`SELECT text FROM note WHERE id = ${Number(id)}`)).toEqual([
          { text: 'a' },
        ]);
      });
      expect(await found.who()).toEqual([expect.stringMatching(/^replica-/)]);
    });

    it('streams from a replica, and frees the connection of a stream that is left early', async () => {
      const stream = mark(
        'WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500) SELECT n FROM c',
      );
      for (let round = 0; round < 15; round++) {
        expect(await api.stream(stream.sql, 3)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
      }
      const servers = await stream.who();
      expect(servers).toHaveLength(15);
      expect(servers.every((server) => server.startsWith('replica-'))).toBe(true);
      expect(await api.run('SELECT amount FROM account WHERE id = 1')).toEqual([{ amount: 100 }]);
    });

    it('obeys the primary hint of the library', async () => {
      const hinted = mark('SELECT amount FROM account WHERE id = ?');
      expect(await api.runOnPrimary(hinted.sql, [1])).toEqual([{ amount: 100 }]);
      expect(await hinted.who()).toEqual(['primary']);
    });

    it('spreads reads over the replicas', async () => {
      const read = mark('SELECT amount FROM account');
      await Promise.all(Array.from({ length: 40 }, () => api.run(read.sql)));
      const servers = await read.who();
      expect(servers).toHaveLength(40);
      for (const replica of cluster.replicas) {
        const share = servers.filter((server) => server === replica.name).length;
        expect(share).toBeGreaterThan(10);
      }
    });

    it('keeps concurrent transactions, reads and writes apart', async () => {
      const read = mark('SELECT COUNT(*) AS n FROM account');
      const write = mark('UPDATE account SET amount = amount + 1 WHERE id = 2');
      const move = async () => {
        await api.transaction(async (run) => {
          await run('UPDATE account SET amount = amount - 1 WHERE id = 1');
          await run('SELECT amount FROM account WHERE id = 1');
          await run(write.sql);
        });
      };
      const work = Array.from({ length: 60 }, (_, index) => {
        if (index % 3 === 0) return move();
        if (index % 3 === 1) return api.run(read.sql);
        return api.run(write.sql);
      });
      await Promise.all(work);
      expect(new Set(await write.who())).toEqual(new Set(['primary']));
      expect((await read.who()).every((server) => server.startsWith('replica-'))).toBe(true);
      expect(await amounts()).toEqual([
        { id: 1, amount: 80 },
        { id: 2, amount: 40 },
      ]);
    });
  });
});
