interface Allowance {
  /** How much may be taken at once after a quiet time. */
  readonly burst: number
  /** How much of it comes back in a second. */
  readonly perS: number
}

/** Bounds a rate: the returned function says whether so much more may be taken now, and takes it. */
export function createAllowance(
  { burst, perS }: Allowance,
  clock: () => number = () => performance.now(),
): (amount: number) => boolean {
  let left = burst
  let at = clock()
  return (amount) => {
    const now = clock()
    left = Math.min(burst, left + ((now - at) / 1_000) * perS)
    at = now
    if (amount > left) return false
    left -= amount
    return true
  }
}
