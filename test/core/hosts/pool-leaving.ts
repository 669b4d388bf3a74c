import { setTimeout as sleep } from 'node:timers/promises';
import { createReplicatedPool } from '@rwsplit/core';
import { createPool } from 'mysql2';
import { attachCluster, type ClusterInfo } from '../../support/servers/cluster.ts';

/** A process that uses a pool with all that looks after hosts, and has then nothing more to do. */
const [info = '', database = '', how = ''] = process.argv.slice(2);
const cluster = attachCluster(JSON.parse(info) as ClusterInfo);
const [primary, ...replicas] = cluster.all.map((server) => ({
  ...cluster.connectionOptions(server, database),
  ...(how === 'own-pools' ? {} : { name: server.name }),
}));
if (primary === undefined) throw new Error('a primary');
const down = { ...primary, port: 1, name: 'down' };
const options = {
  topology: 'readOnly',
  probeInterval: 50,
  maxLag: 60_000,
  minIdle: 2,
  dnsRefresh: 50,
} as const;
const own = how === 'own-pools' ? [primary, ...replicas].map((host) => createPool(host)) : [];
const [ownPrimary, ...ownReplicas] = own;
const pool = createReplicatedPool({
  primary: ownPrimary ?? primary,
  replicas:
    ownPrimary === undefined ? [...replicas, ...(how === 'down' ? [down] : [])] : ownReplicas,
  ...options,
});
const promise = pool.promise();
if (how !== 'unused') {
  await promise.query("INSERT INTO note (text) VALUES ('leaving')");
  for (let read = 0; read < 6; read++) await promise.query('SELECT COUNT(*) FROM note');
  await sleep(200);
}
if (how === 'removed') {
  await pool.removeReplica('replica-1');
}
if (how === 'own-pools') {
  // Whoever made them ends them, and need not know of ours.
  await Promise.all(own.map((one) => one.promise().end()));
} else {
  await promise.end();
}
console.log('done');
