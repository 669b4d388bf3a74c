import { describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { apis } from '../contract/apis.ts';
import { flavors } from '../support/servers/flavor.ts';
import { startCluster } from '../support/servers/start-cluster.ts';
import { createTables, hostsOf, HostWatch } from './bed.ts';
import { Load } from './load.ts';
import { appendFileSync } from 'node:fs';

const log = (x: unknown) => appendFileSync('/tmp/h_faults_exp.txt', JSON.stringify(x) + '\n');
describe.each(flavors)('%s', (flavor) => {
  it('x', async () => {
    await using cluster = await startCluster({ flavor });
    await createTables(cluster);
    const { primary } = cluster;
    const r = cluster.replicas;
    const scenarios: Record<string, (load: Load) => Promise<void>> = {
      killReplicas: async (load) => { for (const x of r) { await x.kill(); await load.reads(300); } for (const x of r) { await x.restart(); await load.reads(200); } },
      hangReplicas: async (load) => { for (const x of r) { await x.hang(); await load.reads(300); } for (const x of r) { x.resume(); await load.reads(200); } },
      restartReplicas: async (load) => { for (const x of r) { await x.restart(); await load.reads(300); } },
      killPrimary: async (load) => { await primary.kill(); await load.reads(300);  await load.failures(30); await primary.restart(); await load.writes(50); },
      hangPrimary: async (load) => { await primary.hang(); await load.reads(300); await load.failures(30); primary.resume(); await load.writes(50); },
      restartPrimary: async (load) => { await primary.restart(); await load.writes(50); },
    };
    for (const [name, scenario] of Object.entries(scenarios)) {
      using watch = new HostWatch();
      const t = performance.now();
      const api = apis['bare pool']({ ...hostsOf(cluster), probeInterval: 200, probeTimeout: 300, acquireTimeout: 1000 });
      const load = new Load(api);
      await load.reads(200);
      let failed = '';
      await Promise.race([scenario(load), sleep(15000).then(() => { throw new Error('15 s') })]).catch((e) => { failed = String(e); });
      for (const s of cluster.all) { if (!s.isRunning) await s.restart(); else if (!s.isAnswering) s.resume(); }
      await load.stop();
      const counts: Record<string, number> = {};
      for (const c of load.failedReads) counts[c] = (counts[c] ?? 0) + 1;
      log({ flavor, name, failed, ms: Math.round(performance.now() - t), failedReads: counts, wrong: load.wrongReads.slice(0, 3), codes: Object.fromEntries(load.ledger.codes),
        ack: load.ledger.count('acknowledged'), mistakes: (await load.ledger.mistakes(cluster.primary)).slice(0, 5), events: watch.events.map((e) => `${e.host}:${e.state}:${e.failure}`).slice(0, 30) });
      await api.close();
      await cluster.waitUntilReplicated().catch((e) => log(String(e)));
    }
  }, 200_000);
});
