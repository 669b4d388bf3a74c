/**
 * `npm run demo`: starts a real primary with two replicas, runs a small Knex and a small Kysely app,
 * and prints for each statement which server ran it by that server's own general log, and why.
 * `npm run demo mariadb` does it on MariaDB.
 */
import { type Flavor, flavors } from '../../test/support/servers/flavor.ts';
import { startCluster } from '../../test/support/servers/start-cluster.ts';
import { knexApp } from './knex-app.ts';
import { kyselyApp } from './kysely-app.ts';
import { Stage } from './stage.ts';

const flavor: Flavor = flavors.find((one) => one === process.argv[2]) ?? 'mysql';

console.log('Starting one primary and two replicas (the first time, they are fetched) …');
await using cluster = await startCluster({ flavor });
await cluster.primary.query(
  'CREATE TABLE app.person (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), age INT)',
);
await cluster.primary.query(
  "INSERT INTO app.person (name, age) VALUES ('Ada', 36), ('Grace', 85), ('Edsger', 72)",
);
await cluster.waitUntilReplicated();

using stage = new Stage(cluster);
stage.title(
  `${flavor === 'mysql' ? 'MySQL' : 'MariaDB'} ${cluster.version}: who ran what, and why`,
);
const hosts = {
  primary: { ...cluster.connectionOptions(cluster.primary), name: cluster.primary.name },
  replicas: cluster.replicas.map((server) => ({
    ...cluster.connectionOptions(server),
    name: server.name,
  })),
};

stage.title('Knex');
await knexApp(hosts, stage);
stage.title('Kysely');
await kyselyApp(hosts, stage);
