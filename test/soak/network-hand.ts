import type { Random } from '../proofs/random.ts';
import { app } from '../support/servers/accounts.ts';
import type { OwnedServer } from '../support/servers/owned-server.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { Faults, Hand, Rest } from './hand.ts';
import type { Stage } from './stage.ts';
import type { Trouble } from './trouble.ts';

/** Disturbs the network before one server at a time, and kills connections on it. */
export function networkHand(stage: Stage, random: Random, trouble: Trouble): Hand {
  /** A replica twice of three times: what befalls the primary excuses too much. */
  const victim = () => {
    const { primary, replicas } = stage.cluster;
    return random.chance(1 / 3) ? primary : random.pick(replicas);
  };
  const disturbed =
    (disturb: (proxy: TcpProxy, rest: Rest) => Promise<void> | void) => (rest: Rest) => {
      const server = victim();
      return trouble.during(server.name, async () => disturb(stage.proxyOf(server), rest));
    };
  const faults: Faults = {
    cut: disturbed((proxy) => proxy.cut()),
    'half-closed': disturbed((proxy) => proxy.halfClose()),
    paused: disturbed(async (proxy, rest) => {
      proxy.pause();
      await rest(random.pick([100, 700, 1500, 4000]));
      proxy.resume();
    }),
    refused: disturbed(async (proxy, rest) => {
      proxy.refuse();
      if (random.chance(0.7)) proxy.cut();
      await rest(random.below(2500));
      await proxy.accept();
    }),
    dropped: disturbed(async (proxy, rest) => {
      proxy.drop(random.pick(['up', 'down'] as const));
      await rest(random.below(2000));
      // As a network does in the end: nobody else can tell such a connection from a slow statement.
      proxy.cut();
    }),
    delayed: async (rest) => {
      const proxy = stage.proxyOf(victim());
      proxy.delay(2 + random.below(40));
      await rest(random.below(2000));
      proxy.delay(0);
    },
    'connections killed': async () => {
      const server = victim();
      await trouble.during(server.name, () => killSome(server, random));
    },
  };
  return { faults, plan: Object.keys(faults), random, quiet: 1500 };
}

/** Of those of the application; the server may go meanwhile, by another hand. */
async function killSome(server: OwnedServer, random: Random): Promise<void> {
  if (!server.isAnswering) return;
  const sql = 'SELECT id FROM information_schema.processlist WHERE user = ?';
  const threads = await server.query<{ id: number }>(sql, [app.user]).catch(() => []);
  for (const { id } of threads.filter(() => random.chance(0.3))) {
    await server.query(`KILL ${id}`).catch(() => {});
  }
}
