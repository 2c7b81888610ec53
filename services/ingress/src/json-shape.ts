/**
 * What JSON may be made of. Values cost many times their bytes once they are parsed, checked and answered one by one: ten
 * megabytes of `0,` are five million records.
 */
const depthMax = 200
const containersMax = 250_000
const entriesMax = 50_000
/** Of all of them together: numbers that must keep their digits are read slowly, about a million values a second. */
const allEntriesMax = 500_000

/** Smaller bodies cannot hold enough to be a burden. */
const harmlessBytes = 64 * 1024

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c

/**
 * Says what makes JSON unfit to be parsed, without parsing it: nesting, the number of its objects and lists, the length of one
 * of them or of all together. Undefined when nothing does. Whether it is JSON at all is for the parser to find.
 */
export function unfitShape(bytes: Buffer): 'depth' | 'size' | undefined {
  if (bytes.length <= harmlessBytes) return undefined
  /** Of the object or list that is open at each depth. */
  const entries = new Uint32Array(depthMax + 1)
  let depth = 0
  let containers = 0
  let allEntries = 0
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote:
        at = endOfText(bytes, at)
        break
      case 0x5b:
      case 0x7b:
        depth += 1
        containers += 1
        if (depth > depthMax) return 'depth'
        if (containers > containersMax) return 'size'
        entries[depth] = 0
        break
      case 0x5d:
      case 0x7d:
        depth -= 1
        // The parser stops here, too.
        if (depth < 0) return undefined
        break
      case comma: {
        const count = (entries[depth] ?? 0) + 1
        allEntries += 1
        if (count >= entriesMax || allEntries >= allEntriesMax) return 'size'
        entries[depth] = count
      }
    }
  }
  return undefined
}

/** Where the text ends that begins at a quote: at the next quote that no backslash stands for. */
function endOfText(bytes: Buffer, begin: number): number {
  for (let end = bytes.indexOf(quote, begin + 1); end !== -1; end = bytes.indexOf(quote, end + 1)) {
    let slashes = 0
    while (bytes[end - 1 - slashes] === backslash) slashes += 1
    if (slashes % 2 === 0) return end
  }
  return bytes.length
}
