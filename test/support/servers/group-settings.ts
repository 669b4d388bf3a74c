export interface MemberPlace {
  /** UUID of the group. */
  readonly groupName: string;
  readonly port: number;
  /** Which of `internalPorts` is this member's. */
  readonly index: number;
  /** The ports that the members use among themselves. */
  readonly internalPorts: readonly number[];
}

/** Arguments that make a server able to join a group, quick to elect and small. */
export function groupSettings({ groupName, port, index, internalPorts }: MemberPlace): string[] {
  const addresses = internalPorts.map((each) => `127.0.0.1:${each}`);
  return [
    '--plugin-load-add=group_replication.so',
    // What the others' rows show to clients as the address of this one.
    '--report-host=127.0.0.1',
    `--report-port=${port}`,
    `--group-replication-group-name=${groupName}`,
    `--group-replication-local-address=${addresses[index]}`,
    `--group-replication-group-seeds=${addresses.join(',')}`,
    '--group-replication-start-on-boot=OFF',
    '--group-replication-bootstrap-group=OFF',
    '--group-replication-recovery-get-public-key=ON',
    // A member that is silent for 5 seconds is suspected (fixed); it is expelled at once then.
    '--group-replication-member-expel-timeout=0',
    // Messages between the members are kept in it; the default is 1 GB, allocated as needed.
    '--group-replication-message-cache-size=134217728',
  ];
}
