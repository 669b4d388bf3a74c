import type { Host } from '../pool/host.ts';
import type { Hosts } from '../pool/hosts.ts';
import type { Address, Findings, Topology } from '../topology/topology.ts';
import { Probe, type Said } from './probe.ts';

/** What a {@link Monitor} is to find out, and how often. */
export interface MonitorOptions {
  /** How roles are found out; `null`: they are as configured. */
  readonly topology: Topology<unknown> | null;
  /** Between two rounds, in milliseconds. */
  readonly interval: number;
  /** For all answers of one host in one round, in milliseconds. */
  readonly timeout: number;
  readonly heartbeatTable: string | null;
  /** Makes a host of an address that was found. */
  readonly open: (address: Address) => Host;
  /** Told of a host that is gone, or was never configured. */
  readonly close: (host: Host) => void;
  /** Makes sure that a host can be the primary, before it is; resolves when it may be. */
  readonly admit: (host: Host) => Promise<void>;
  /** Told of a mistake of ours, or of what somebody gave us; the next round comes all the same. */
  readonly onFailure: (error: Error) => void;
  /** Told what has become of the primary. */
  readonly onRoles: (change: RoleChange) => void;
}

/** What has become of the primary. */
export type RoleChange =
  | { readonly kind: 'moved' | 'found'; readonly from: Host; readonly to: Host }
  | { readonly kind: 'lost'; readonly from: Host }
  | { readonly kind: 'several'; readonly from: Host; readonly hosts: readonly Host[] };

/** How long it is until the next round while there is no primary, in milliseconds. */
const hurry = 100;

/** Asks all hosts for their roles and their lag, round after round. */
export class Monitor {
  readonly #hosts: Hosts;
  readonly #options: MonitorOptions;
  readonly #probes = new Map<Host, Probe>();
  /** Hosts that were found, and not configured. */
  readonly #found = new Set<Host>();
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #isAgain = false;
  #isStarted = false;
  #wantsLag = false;
  /** Whether every host has been asked for its lag once. */
  #hasMeasured = false;
  #isClosed = false;
  #last: RoleChange['kind'] | null = null;
  #areSeveral = false;
  /** Who alone says that it takes writes. */
  #claimant: Host | null = null;
  /** Who is to be the primary, and is waited for. */
  #admitting: Host | null = null;

  constructor(hosts: Hosts, options: MonitorOptions) {
    this.#hosts = hosts;
    this.#options = options;
  }

  /** A host has been given something to do: from now on roles matter. */
  start(): void {
    if (!this.#isStarted && this.#options.topology !== null) {
      this.#isStarted = true;
      this.doubt();
    }
  }

  /** From now on lag matters. Resolves when it has been asked for once. */
  async measureLag(): Promise<void> {
    this.#wantsLag = true;
    this.#isStarted = true;
    // A round that is under way may have begun before anybody wanted to know.
    while (!this.#hasMeasured && !this.#isClosed) {
      this.doubt();
      await this.#round;
    }
  }

  get hasLag(): boolean {
    return this.#hasMeasured;
  }

  /** Something was not as it was found: asks at once. */
  doubt(): void {
    if (this.#isClosed || !this.#isStarted) {
      return;
    }
    if (this.#round !== null) {
      this.#isAgain = true;
      return;
    }
    clearTimeout(this.#timer ?? undefined);
    this.#round = this.#run()
      .catch((error) => this.#options.onFailure(error))
      .finally(() => {
        this.#round = null;
        this.#plan();
      });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer ?? undefined);
    for (const probe of this.#probes.values()) {
      probe.close();
    }
  }

  /** Asks a host nothing more. */
  forget(host: Host): void {
    this.#probes.get(host)?.close();
    this.#probes.delete(host);
    this.#found.delete(host);
    if (this.#claimant === host) {
      this.#claimant = null;
    }
  }

  #plan(): void {
    if (this.#isClosed) {
      return;
    }
    const isUrgent = this.#isAgain || !this.#hosts.seat.isTaken;
    this.#isAgain = false;
    const { interval } = this.#options;
    // Jitter, so that the processes of a fleet do not all ask at once.
    const wait = isUrgent ? Math.min(hurry, interval) : interval * (0.9 + 0.2 * Math.random());
    this.#timer = setTimeout(() => this.doubt(), wait).unref();
  }

  async #run(): Promise<void> {
    const { topology } = this.#options;
    const startedAt = performance.now();
    const answers = new Map<Host, Said | null>();
    const hosts = topology === null ? this.#hosts.choice.used : this.#hosts.all;
    for (const host of this.#hosts.all.filter((one) => !hosts.includes(one))) {
      // What it was when it was asked last says nothing of now.
      host.lag = null;
    }
    const asked = hosts.map(async (host) => {
      const probe = this.#probeOf(host);
      const { isSilent } = probe;
      const questions = { role: topology?.sql ?? null, lag: this.#wantsLag };
      const answer = probe.ask(questions);
      // Who did not answer the last time is not waited for.
      const said = isSilent ? await soon(answer) : await answer;
      answers.set(host, said);
      host.lag = host.role === 'primary' ? null : (said?.lag ?? null);
    });
    const measures = this.#wantsLag;
    await Promise.all(asked);
    this.#hasMeasured ||= measures;
    if (topology !== null && !this.#isClosed) {
      this.#resolve(topology, answers, startedAt);
    }
  }

  #probeOf(host: Host): Probe {
    let probe = this.#probes.get(host);
    if (probe === undefined) {
      const { timeout, heartbeatTable } = this.#options;
      probe = new Probe(host, timeout, heartbeatTable);
      this.#probes.set(host, probe);
    }
    return probe;
  }

  #resolve(
    topology: Topology<unknown>,
    answers: ReadonlyMap<Host, Said | null>,
    startedAt: number,
  ): void {
    const said = new Map<Address, unknown>();
    for (const [host, answer] of answers) {
      const { rows = null } = answer ?? {};
      said.set(host.address, rows === null ? null : topology.read(rows));
    }
    const { primary, seat } = this.#hosts;
    if ([...said.values()].every((one) => one === null)) {
      const refusals = [...answers.values()].map((answer) => answer?.refusal ?? null);
      seat.explain(refusals.find((code) => code !== null) ?? null);
      return;
    }
    const findings = withoutOldClaims(
      topology.resolve(said, seat.isTaken ? primary.address : null),
      answers,
      seat.isTaken ? primary : null,
    );
    this.#takeMembers(findings, said);
    this.#takePrimary(findings, said, startedAt);
  }

  #takeMembers(
    { members, readable, writable, lags }: Findings,
    said: ReadonlyMap<Address, unknown>,
  ): void {
    const known = new Set(this.#hosts.all.map(({ address }) => address));
    for (const address of members ?? []) {
      if (!known.has(address)) {
        const host = this.#options.open(address);
        this.#found.add(host);
        // It has said nothing itself yet.
        host.isMember = false;
        this.#hosts.add(host);
        this.#isAgain = true;
      }
    }
    for (const host of this.#hosts.all) {
      const { address } = host;
      const isServing = readable.includes(address) || writable.includes(address);
      const hasSaid = (said.get(address) ?? null) !== null;
      if (isServing || hasSaid || members !== null) {
        host.isMember = isServing;
      }
      host.lag = lags.get(address) ?? host.lag;
      const isGone = members !== null && !members.includes(address);
      // Whoever has the place of the primary keeps it until another one has it.
      if (isGone && this.#found.has(host) && host !== this.#hosts.primary) {
        this.#options.close(host);
      }
    }
  }

  #takePrimary(
    { writable }: Findings,
    said: ReadonlyMap<Address, unknown>,
    startedAt: number,
  ): void {
    const { primary, seat, all } = this.#hosts;
    // The same server may be listed twice; the first of them is the primary itself, if it is one.
    const claiming = all.filter(
      ({ address }, index) =>
        writable.includes(address) && all.findIndex((one) => one.address === address) === index,
    );
    const [first] = claiming;
    const areSeveral = claiming.length > 1;
    const wereSeveral = this.#areSeveral;
    this.#areSeveral = areSeveral;
    this.#claimant = areSeveral ? null : (first ?? null);
    if (areSeveral) {
      this.#unseat(claiming.map(({ name }) => name));
      if (wereSeveral) {
        // Answers of one round are not all of one moment: once may have been in the middle of a move.
        this.#tell({ kind: 'several', from: primary, hosts: claiming });
      }
    } else if (first === undefined) {
      // One that does not answer may be busy: its own health says whether it can be used.
      const wasTaken = seat.isTaken;
      if (!wasTaken || (said.get(primary.address) ?? null) !== null) {
        this.#unseat();
        if (wasTaken) {
          this.#tell({ kind: 'lost', from: primary });
        }
      }
    } else if (first !== primary) {
      this.#move(primary, first).catch((error) => this.#options.onFailure(error));
    } else if (!seat.isTaken && seat.vacantSince <= startedAt) {
      // Later than it refused a write, or could not be reached.
      this.#hosts.appoint(first);
      this.#tell({ kind: 'found', from: primary, to: first });
    }
  }

  /** Who had the place of the primary, has it no more; and nobody goes on with its connections. */
  #unseat(rivals: readonly string[] = []): void {
    const { primary, seat } = this.#hosts;
    if (seat.isTaken) {
      primary.replaceConnections();
    }
    seat.vacate(rivals);
  }

  /** Rounds go on while the new primary is not admitted yet: it may lose its place meanwhile. */
  async #move(from: Host, to: Host): Promise<void> {
    if (this.#admitting !== null) {
      return;
    }
    this.#admitting = to;
    if (this.#hosts.seat.isTaken) {
      this.#unseat();
    }
    try {
      await this.#options.admit(to);
    } finally {
      this.#admitting = null;
    }
    if (!this.#isClosed && this.#claimant === to) {
      this.#hosts.appoint(to);
      this.#tell({ kind: 'moved', from, to });
    }
  }

  #tell(change: RoleChange): void {
    const isNews = change.kind !== this.#last;
    this.#last = change.kind;
    if (isNews || change.kind === 'moved') {
      this.#options.onRoles(change);
    }
  }
}

/** What has been said already, or is said in a moment. */
function soon<T>(answer: Promise<T>): Promise<T | null> {
  return Promise.race([
    answer,
    new Promise<null>((resolve) => setTimeout(resolve, 20, null).unref()),
  ]);
}

/** What there was no room to ask for now shows at most that the primary still is what it was. */
function withoutOldClaims(
  findings: Findings,
  answers: ReadonlyMap<Host, Said | null>,
  primary: Host | null,
): Findings {
  const old = [...answers]
    .filter(([host, said]) => said?.isOld === true && host !== primary)
    .map(([host]) => host.address);
  return { ...findings, writable: findings.writable.filter((address) => !old.includes(address)) };
}
