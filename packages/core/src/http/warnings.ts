/**
 * Warns the first time alone: what clients send must not fill logs.
 *
 * @param code tells warnings apart
 */
export function warnOnce(code: string): (text: string) => void {
  let hasWarned = false;
  return (text) => {
    if (!hasWarned) {
      hasWarned = true;
      process.emitWarning(`rwsplit: ${text}`, { type: 'RwSplitWarning', code });
    }
  };
}
