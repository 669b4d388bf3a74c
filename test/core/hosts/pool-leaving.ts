import { createReplicatedPool } from '@rwsplit/core';
import { attachCluster, type ClusterInfo } from '../../support/servers/cluster.ts';

/** A process that uses a pool with all that looks after hosts, and has then nothing more to do. */
const [info = '', database = '', how = ''] = process.argv.slice(2);
const cluster = attachCluster(JSON.parse(info) as ClusterInfo);
const [primary, ...replicas] = cluster.all.map((server) => ({
  ...cluster.connectionOptions(server, database),
  name: server.name,
}));
if (primary === undefined) throw new Error('a primary');
const down = { ...primary, port: 1, name: 'down' };
const pool = createReplicatedPool({
  primary,
  replicas: how === 'down' ? [...replicas, down] : replicas,
  topology: 'readOnly',
  probeInterval: 50,
  maxLag: 60_000,
  minIdle: 2,
  dnsRefresh: 50,
});
const promise = pool.promise();
if (how !== 'unused') {
  await promise.query("INSERT INTO note (text) VALUES ('leaving')");
  for (let read = 0; read < 6; read++) await promise.query('SELECT COUNT(*) FROM note');
  await new Promise((resolve) => setTimeout(resolve, 200));
}
if (how === 'removed') {
  await pool.removeReplica(replicas[0]?.name ?? '');
}
if (how !== 'no-end') {
  await promise.end();
}
console.log('done');
if (how === 'no-end') {
  // As mysql2's own pools: their idle connections keep a process alive, and ours are theirs.
  process.exitCode = 0;
}
