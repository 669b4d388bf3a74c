/**
 * The shortest text that still has a property, as far as leaving out pieces leads: halves first,
 * single characters last.
 */
export async function shrink(
  text: string,
  holds: (text: string) => Promise<boolean>,
): Promise<string> {
  let smallest = text;
  for (let size = Math.ceil(text.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < smallest.length; ) {
      const shorter = smallest.slice(0, at) + smallest.slice(at + size);
      if (await holds(shorter)) smallest = shorter;
      else at += size;
    }
  }
  return smallest;
}
