import { forcePrimary, ReplicatedMysql2 } from '@rwsplit/knex';
import Knex from 'knex';
import type { DemoHosts, Stage } from './stage.ts';

/** A small app on Knex: what changes is the client, and the list of replicas. */
export async function knexApp(hosts: DemoHosts, stage: Stage): Promise<void> {
  const { name: _, ...connection } = hosts.primary;
  const knex = Knex({
    client: ReplicatedMysql2,
    connection,
    replicas: hosts.replicas,
  });
  // Opens the connections, so that the acts below show nothing but the app's own statements.
  await Promise.all([knex('person').first(), knex('person').first(), knex('person').first()]);

  await stage.show('a query builder', () => knex('person').where('age', '>', 40).orderBy('name'));
  await stage.show('raw SQL', () => knex.raw('SELECT AVG(age) AS average FROM person'));
  await stage.show('an insert, and a read that sees it', async () => {
    const [id] = await knex('person').insert({ name: 'Barbara', age: 68 });
    await knex('person').where({ id }).first();
  });
  await stage.show('raw SQL on the primary', () =>
    forcePrimary(knex.raw('SELECT COUNT(*) AS people FROM person')),
  );
  await stage.show('a transaction', () =>
    knex.transaction(async (trx) => {
      const person = await trx('person').where({ name: 'Ada' }).forUpdate().first('id', 'age');
      await trx('person').where({ id: person?.id }).update({ age: 37 });
      await trx('person').count({ people: '*' });
    }),
  );
  await stage.show('a lock outside a transaction', () => knex('person').forUpdate().first('id'));
  await stage.show('a function of the session', () => knex.raw('SELECT CONNECTION_ID()'));
  await knex.destroy();
}
