import { createReplicatedPool, primary, withSession } from '@rwsplit/core';
import { attachCluster, type ClusterInfo } from '../../support/servers/cluster.ts';

/** A process that uses a pool, ends it, and has then nothing more to do. */
const cluster = attachCluster(JSON.parse(process.argv[2] ?? '') as ClusterInfo);
const pool = createReplicatedPool({
  primary: cluster.connectionOptions(cluster.primary),
  replicas: cluster.replicas.map((server) => cluster.connectionOptions(server)),
}).promise();
await pool.query('DELETE FROM note WHERE id < 0');
await pool.query('INSERT INTO note (id) VALUES (-1)');
await pool.query('SELECT COUNT(*) FROM note');
await withSession(async () => {
  await primary(() => pool.query('SELECT COUNT(*) FROM note'));
  await pool.query('SELECT COUNT(*) FROM note');
});
await pool.end();
console.log('ended');
