import os from 'node:os';
import { threadId } from 'node:worker_threads';
import { durationOrZero, shown } from '../config/checks.ts';
import { type ParsedHost, parseReplica } from '../config/hosts.ts';
import type { HostConfig } from '../config/options.ts';
import { optionsError, type ParsedOptions } from '../config/parse.ts';
import type { Health } from '../hosts/health.ts';
import { closePool } from '../pool/close-pool.ts';
import { Host, type HostPolicy } from '../pool/host.ts';
import { Hosts, type HostsPolicy } from '../pool/hosts.ts';
import { createRawPool, type PoolOptions, unwrapPool } from '../pool/mysql2.ts';
import { parseAddress } from '../topology/address.ts';
import type { Address, Topology } from '../topology/topology.ts';
import { Addresses } from './addresses.ts';
import { Monitor, type RoleChange } from './monitor.ts';
import { publishHealth, publishRoles, warnOfProbe } from './news.ts';
import { topologyFor } from './topology-for.ts';
import { Vitals } from './vitals.ts';
import { Warmth } from './warmth.ts';

/** What hosts come and go with. */
export interface RosterOptions {
  readonly onVersion: (version: string) => void;
  /**
   * Waits until a host has what was written on the primary before it, for so many milliseconds; tells whether
   * it lacks something then.
   */
  readonly lacksWrites: (host: Host, milliseconds: number) => Promise<boolean>;
  /** What it lacks is lost: nobody is to wait for it. */
  readonly forgetWrites: () => void;
  /** Told of each host that joins. */
  readonly onJoin: (host: Host) => void;
}

/** Whether to wait for what runs on a host that is removed, in milliseconds; `true`: for as long as on closing. */
export interface RemoveOptions {
  /** @default true */
  readonly drain?: boolean | number;
}

/** A new primary is given so many milliseconds at least to apply what it has received. */
const leastPatience = 1_000;

/** How often it is looked whether a host that is removed has answered its last statement, in milliseconds. */
const drainPause = 20;

/** The hosts of a pool, from when they join until they are gone, and what looks after them meanwhile. */
export class Roster {
  readonly hosts: Hosts;
  readonly monitor: Monitor;
  readonly #routing: ParsedOptions['routing'];
  readonly #base: PoolOptions;
  readonly #options: RosterOptions;
  readonly #policy: HostPolicy;
  readonly #vitals: Vitals;
  readonly #addresses: Addresses;
  readonly #warmth: Warmth;
  /** Those that are not offered any more, and still have something to do. */
  readonly #leaving = new Map<Host, Promise<Error | null>>();
  #isStarted = false;
  #isClosed = false;

  constructor({ hosts, base, routing }: ParsedOptions, options: RosterOptions) {
    const { probeInterval: interval, probeTimeout: timeout, acquireTimeout: patience } = routing;
    const all = () => this.hosts.all;
    this.#routing = routing;
    this.#base = base;
    this.#options = options;
    this.#vitals = new Vitals(all, { timeout, interval, patience });
    this.#addresses = new Addresses(all, routing.dnsRefresh);
    this.#warmth = new Warmth(() => this.hosts.choice.used, routing.minIdle);
    this.#policy = this.#makePolicy();
    const [primary, ...replicas] = hosts.map((host) => this.#open(host));
    if (primary === undefined) {
      throw optionsError(['primary: expected a host, found none']);
    }
    const topology = topologyFor(routing.topology, [primary, ...replicas]);
    this.hosts = new Hosts(primary, replicas, this.#hostsPolicy(topology === null));
    this.monitor = this.#makeMonitor(topology);
  }

  /** @throws `RWSPLIT_OPTIONS` with every problem. */
  add(config: HostConfig): void {
    const problems: string[] = [];
    const names = this.hosts.all.map(({ name }) => name);
    const pools = this.hosts.all.map(({ pool }) => pool);
    const parsed = parseReplica(config, this.#base, { names, pools }, problems);
    if (parsed === null || problems.length > 0) {
      throw optionsError(problems);
    }
    this.#join(this.#open(parsed));
  }

  /** @throws `RWSPLIT_OPTIONS` if there is no such replica. */
  async remove(name: string, { drain = true }: RemoveOptions): Promise<void> {
    const expected = typeof drain === 'boolean' ? null : durationOrZero(drain);
    if (expected !== null) {
      throw optionsError([`drain: expected true, false or ${expected}, found ${shown(drain)}`]);
    }
    const host = this.#replica(name, 'removeReplica');
    const { closeTimeout } = this.#routing;
    const patience = drain === true ? closeTimeout : Number(drain);
    const error = await this.#leave(host, patience);
    if (error !== null) {
      throw error;
    }
  }

  /** @throws `RWSPLIT_OPTIONS` if there is no such replica. */
  setWeight(name: string, weight: number): void {
    this.hosts.setWeight(this.#replica(name, 'setWeight'), weight);
    this.monitor.doubt();
  }

  /** Looks after hosts no more, and lets those go who wait for one. */
  stop(): void {
    this.#isClosed = true;
    this.#vitals.close();
    this.#addresses.close();
    this.#warmth.close();
    this.monitor.close();
    this.hosts.seat.close();
  }

  /** Closes all connections when what runs on them is done: see {@link closePool}. */
  async close(): Promise<readonly Error[]> {
    const { closeTimeout } = this.#routing;
    const closing = this.hosts.all.map((host) => closePool(host, closeTimeout));
    const errors = await Promise.all([...closing, ...this.#leaving.values()]);
    return errors.filter((error) => error !== null);
  }

  #makePolicy(): HostPolicy {
    const { acquireTimeout, checkIdleAfter, onCreateConnection = null } = this.#routing;
    const { probeTimeout, maxLifetime, primaryReads } = this.#routing;
    return {
      acquireTimeout,
      checkIdleAfter,
      onCreateConnection,
      probeTimeout,
      maxLifetime,
      primaryReads,
      onVersion: this.#options.onVersion,
      onUse: () => this.#start(),
      onHealthChange: (host, before) => this.#healthChanged(host, before),
    };
  }

  #hostsPolicy(isStatic: boolean): HostsPolicy {
    const { balancing, zone = null, primaryReads, onLag, primaryWait } = this.#routing;
    const { subset = Number.POSITIVE_INFINITY } = this.#routing;
    const { subsetKey = `${os.hostname()}:${process.pid}:${threadId}` } = this.#routing;
    const onDoubt = () => this.#doubt();
    return {
      balancing,
      zone,
      primaryReads,
      onLag,
      primaryWait,
      subset,
      subsetKey,
      isStatic,
      onDoubt,
    };
  }

  #makeMonitor(topology: Topology<unknown> | null): Monitor {
    const { probeInterval: interval, probeTimeout: timeout, heartbeatTable = null } = this.#routing;
    let hasLostWrites = false;
    return new Monitor(this.hosts, {
      topology,
      interval,
      timeout,
      heartbeatTable,
      open: (address) => this.#openFound(address),
      close: (host) => {
        void this.#leave(host, this.#routing.closeTimeout);
      },
      admit: async (host) => {
        const patience = Math.max(leastPatience, this.#routing.primaryWait / 2);
        hasLostWrites = await this.#options.lacksWrites(host, patience);
      },
      onFailure: warnOfProbe,
      onRoles: (change: RoleChange) => {
        const isLoss = hasLostWrites && change.kind === 'moved';
        if (isLoss) {
          this.#options.forgetWrites();
        }
        publishRoles(change, isLoss);
      },
    });
  }

  #open({ source, ...info }: ParsedHost): Host {
    const isShared = 'pool' in source;
    const pool = isShared ? unwrapPool(source.pool) : createRawPool(source.options);
    return new Host(info, pool, isShared, this.#policy);
  }

  #openFound(address: Address): Host {
    const host = this.#open({
      name: address,
      role: 'replica',
      source: { options: { ...this.#base, ...parseAddress(address) } },
      traits: { weight: 1, groups: ['default'], zone: null },
    });
    this.#options.onJoin(host);
    return host;
  }

  #join(host: Host): void {
    this.hosts.add(host);
    this.#options.onJoin(host);
    this.#warmth.look();
  }

  #leave(host: Host, patience: number): Promise<Error | null> {
    this.hosts.remove(host);
    // Those that nobody uses, and those that somebody holds without using them, as soon as that is seen.
    host.replaceConnections();
    this.#vitals.forget(host);
    this.monitor.forget(host);
    const left = this.#drained(host, patience).then((spent) => {
      if (host.isShared) {
        // Others may use it, and whoever made it ends it.
        host.close();
        return null;
      }
      return closePool(host, patience - spent, patience);
    });
    this.#leaving.set(host, left);
    return left.finally(() => this.#leaving.delete(host));
  }

  /** @returns how long it took, in milliseconds. */
  async #drained(host: Host, patience: number): Promise<number> {
    const startedAt = performance.now();
    while (host.running > 0 && !this.#isClosed) {
      const spent = performance.now() - startedAt;
      if (spent >= patience) {
        return patience;
      }
      await new Promise((resolve) => setTimeout(resolve, drainPause));
    }
    return Math.min(patience, performance.now() - startedAt);
  }

  #replica(name: string, method: string): Host {
    const host = this.hosts.replicas.find((one) => one.name === name);
    if (host === undefined) {
      const names = this.hosts.replicas.map((one) => `'${one.name}'`).join(', ');
      throw optionsError([
        `${method}(name): expected the name of a replica (${names}), found '${name}'`,
      ]);
    }
    return host;
  }

  #start(): void {
    this.#vitals.watch();
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.monitor.start();
      this.#addresses.start();
      this.#warmth.start();
    }
  }

  #doubt(): void {
    this.#start();
    this.monitor.doubt();
    this.#addresses.look();
  }

  #healthChanged(host: Host, before: Health): void {
    if (this.#isClosed) {
      return;
    }
    this.#vitals.healthChanged(host);
    if (host.health.state !== before.state) {
      publishHealth(host);
      if (host.health.state === 'up') {
        this.#warmth.look();
      } else if (host.role === 'primary' || this.monitor.hasLag) {
        this.monitor.doubt();
      }
    }
  }
}
