import type { Random } from '../proofs/random.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import type { OwnedCluster } from '../support/servers/start-cluster.ts';
import type { Faults, Hand, Rest, Turnstile } from './hand.ts';
import type { Stage } from './stage.ts';
import type { Trouble } from './trouble.ts';

/** Kills, hangs and delays servers, and switches their roles. */
export function serversHand(
  { cluster }: Stage,
  random: Random,
  trouble: Trouble,
  turnstile: Turnstile,
): Hand {
  const victims = (): readonly OwnedServer[] =>
    random.chance(0.25) ? cluster.replicas : [random.pick(cluster.replicas)];
  const each = async (
    servers: readonly OwnedServer[],
    act: (server: OwnedServer) => Promise<void>,
  ) => {
    await Promise.all(servers.map(act));
  };
  const restarted = async (servers: readonly OwnedServer[], rest: Rest) => {
    await each(servers, (server) => server.kill());
    await rest(random.below(1500));
    await each(servers, (server) => server.restart());
  };
  const hung = async (servers: readonly OwnedServer[], milliseconds: number, rest: Rest) => {
    await each(servers, (server) => server.hang());
    await rest(milliseconds);
    for (const server of servers) server.resume();
  };
  const ofPrimary = (fault: (primary: OwnedServer) => Promise<void>) => {
    const { primary } = cluster;
    return trouble.during(primary.name, () => fault(primary));
  };
  const faults: Faults = {
    'replicas killed': (rest) => restarted(victims(), rest),
    'replicas shut down': async (rest) => {
      const servers = victims();
      await each(servers, (server) => server.shutdown());
      await rest(random.below(1000));
      await each(servers, (server) => server.restart());
    },
    'replicas hung': (rest) => hung(victims(), 200 + random.below(4000), rest),
    'primary killed': (rest) => ofPrimary((primary) => restarted([primary], rest)),
    // Up to longer than `acquireTimeout`, after which what runs there is given up.
    'primary hung': (rest) =>
      ofPrimary((primary) => hung([primary], random.pick([200, 1000, 2500, 7000]), rest)),
    'appliers stopped': async (rest) => {
      const servers = victims();
      await each(servers, (server) => server.stopApplying());
      await rest(200 + random.below(3000));
      await each(servers, (server) => server.startApplying());
    },
    'appliers delayed': async (rest) => {
      const servers = victims();
      const seconds = 1 + random.below(2);
      await each(servers, (server) => server.delay(seconds));
      await rest(1000 + random.below(3000));
      await each(servers, (server) => server.delay(0));
    },
    'roles switched': () =>
      turnstile.pass(() =>
        trouble.during('all', () => cluster.switchover(random.pick(cluster.replicas))),
      ),
    'two writable': (rest) =>
      trouble.during('all', () =>
        asRival(random.pick(cluster.replicas), cluster, () => rest(random.below(2500))),
      ),
  };
  const often = ['replicas killed', 'replicas hung', 'appliers stopped', 'appliers delayed'];
  return { faults, plan: [...Object.keys(faults), ...often], random, quiet: 1500 };
}

/**
 * Lets a replica say that it takes writes. Whoever loses sight of the primary meanwhile has to believe it;
 * what they would write there could never be joined with the rest, so that they lack the right to.
 */
async function asRival(
  rival: OwnedServer,
  { flavor, database, user }: OwnedCluster,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const ifMysql = (...statements: string[]) => (flavor === 'mysql' ? statements : []);
  const run = async (...statements: string[]) => {
    for (const statement of statements) await rival.query(statement);
  };
  const where = `ON ${database}.*`;
  await run(
    ...ifMysql('SET GLOBAL super_read_only = OFF'),
    'SET SESSION sql_log_bin = OFF',
    `REVOKE INSERT ${where} FROM ${user}@'%'`,
    'SET GLOBAL read_only = OFF',
  );
  await meanwhile();
  await run(
    'SET GLOBAL read_only = ON',
    `GRANT INSERT ${where} TO ${user}@'%'`,
    'SET SESSION sql_log_bin = ON',
    ...ifMysql('SET GLOBAL super_read_only = ON'),
  );
}
