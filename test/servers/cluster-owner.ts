import { parseArgs } from 'node:util';
import { startCluster } from '../support/servers/start-cluster.ts';

// A process to be killed: starts a cluster, says where, and goes on.
const { values } = parseArgs({ options: { flavor: { type: 'string' } } });
const cluster = await startCluster({
  flavor: values.flavor === 'mariadb' ? 'mariadb' : 'mysql',
  replicas: 1,
});
await cluster.replicas[0]?.hang();
console.log(JSON.stringify({ folder: cluster.folder, pids: cluster.all.map(({ pid }) => pid) }));
