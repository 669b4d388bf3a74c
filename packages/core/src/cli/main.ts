#!/usr/bin/env node
import { runCommand } from './command.ts';

/** `rwsplit explain | head` closes the pipe when it has enough: no reason to fail. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') {
    process.exit(0);
  }
  process.stderr.write(`rwsplit: cannot write: ${error.message}\n`);
  process.exit(1);
});

process.exitCode = await runCommand(process.argv.slice(2), process);
