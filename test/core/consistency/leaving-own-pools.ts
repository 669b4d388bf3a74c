import { createReplicatedPool } from '@rwsplit/core';
import mysql from 'mysql2';
import { attachCluster, type ClusterInfo } from '../../support/servers/cluster.ts';

/** A process that gives its own pools, ends them itself, and has then nothing more to do. */
const cluster = attachCluster(JSON.parse(process.argv[2] ?? '') as ClusterInfo);
const own = cluster.all.map((server) => mysql.createPool(cluster.connectionOptions(server)));
const [primary, ...replicas] = own;
if (primary === undefined) throw new Error('no primary');
const pool = createReplicatedPool({ primary, replicas, causalWait: 1_000 }).promise();
await pool.query('DELETE FROM note WHERE id < 0');
await pool.query('INSERT INTO note (id) VALUES (-1)');
await pool.query('SELECT COUNT(*) FROM note');
for (const one of own) one.end();
console.log('ended');
