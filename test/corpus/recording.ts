import { appendFileSync, createReadStream, existsSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Flavor } from '../support/servers/flavor.ts';
import type { Replay } from './replay.ts';

/** What was run; the first line of a recording. */
export interface Heading {
  readonly flavor: Flavor;
  /** As `VERSION()` answers. */
  readonly server: string;
  /** Version of the package with the test suite. */
  readonly suite: string;
  /** Files of the suite that a complete run replays. */
  readonly files: number;
  /** Day on which the recording began, as `2026-01-31`. */
  readonly day: string;
}

/** A test file with what the server showed; one line of a recording. */
export interface RecordedFile extends Replay {
  readonly root: string;
}

/**
 * What a server showed in a run, in a file of JSON lines: a cut run goes on where it was, and the
 * classifier is held against it again and again without a server.
 */
export class Recording {
  readonly #path: string;
  /** Files whose replays are in the recording. */
  readonly done: ReadonlySet<string>;

  private constructor(path: string, done: ReadonlySet<string>) {
    this.#path = path;
    this.done = done;
  }

  /**
   * Opens a recording to go on with; a new one gets the heading.
   *
   * @throws Error if the recording is of another server or suite
   */
  static async open(path: string, heading: Heading): Promise<Recording> {
    const done = new Set<string>();
    if (!existsSync(path)) {
      append(path, heading);
      return new Recording(path, done);
    }
    await cutBrokenLine(path);
    const { server, suite } = await readHeading(path);
    if (server !== heading.server || suite !== heading.suite) {
      throw new Error(`${path} is a recording of another server or suite: ${server}, ${suite}`);
    }
    for await (const { root } of readRecording(path)) done.add(root);
    return new Recording(path, done);
  }

  add(file: RecordedFile): void {
    append(this.#path, file);
  }
}

/** The first line of a recording. */
export async function readHeading(path: string): Promise<Heading> {
  for await (const line of linesOf(path)) return JSON.parse(line) as Heading;
  throw new Error(`${path} is empty`);
}

/** The files of a recording. */
export async function* readRecording(path: string): AsyncGenerator<RecordedFile> {
  let isHeading = true;
  for await (const line of linesOf(path)) {
    if (!isHeading) yield JSON.parse(line) as RecordedFile;
    isHeading = false;
  }
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
}

function append(path: string, value: unknown): void {
  appendFileSync(path, `${JSON.stringify(value)}\n`);
}

/** A process that was killed may have left half a line. */
async function cutBrokenLine(path: string): Promise<void> {
  const content = await readFile(path);
  truncateSync(path, content.lastIndexOf(0x0a) + 1);
}
