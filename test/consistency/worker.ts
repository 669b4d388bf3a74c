/** The other process of a run: clients with tokens come here and go back. */
import { attachCluster } from '../support/servers/cluster.ts';
import type { Place } from './client.ts';
import { Clock } from './history.ts';
import { Lanes } from './lanes.ts';
import type { Reply, Request } from './messages.ts';
import { watchReads } from './read-watch.ts';
import { Tally } from './tally.ts';
import { takeTurn } from './turn.ts';

const tally = new Tally();
const clock = new Clock();
const watch = watchReads(tally);
let place: Place | undefined;

process.on('message', (message) => {
  handle(message as Request).catch((error: unknown) => {
    reply({ kind: 'failed', message: error instanceof Error ? `${error.stack}` : String(error) });
  });
});

async function handle(request: Request): Promise<void> {
  if (request.kind === 'open') {
    const cluster = attachCluster(request.cluster);
    const { flavor } = cluster;
    place = {
      flavor,
      part: 'token',
      lanes: new Lanes(cluster, 'token'),
      tally,
      writers: request.writers,
    };
    return;
  }
  if (place === undefined) throw new Error('open comes first');
  if (request.kind === 'turn') {
    reply({ kind: 'turn', id: request.id, result: await takeTurn(place, clock, request.turn) });
  } else {
    await place.lanes[Symbol.asyncDispose]();
    watch[Symbol.dispose]();
    reply({ kind: 'closed', totals: tally.totals });
    process.disconnect();
  }
}

function reply(message: Reply): void {
  process.send?.(message);
}
