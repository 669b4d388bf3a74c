/**
 * Makes the stack of a builder, which `asyncStackTraces` shows in errors, begin where it was asked for. Knex
 * leaves out as many calls as it makes itself, and there are more of them here.
 *
 * @param method the client's, that makes the builder.
 */
export function withStackOf<Builder extends object>(
  method: (...given: never[]) => unknown,
  builder: Builder,
): Builder {
  if ('_asyncStack' in builder) {
    const error = {};
    Error.captureStackTrace(error, method);
    builder._asyncStack = { error, lines: 1 };
  }
  return builder;
}
