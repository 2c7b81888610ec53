const minuteS = 60
const hourS = 60 * minuteS
const dayS = 24 * hourS

/** `2026-11-21 15:03:22`, in the time zone of the terminal. */
export const formatLocal = (atMs: number): string => new Date(atMs).toLocaleString('sv-SE')

/** `2026-11-21 15:03:22 (2026-11-21T14:03:22Z)`: local time to read, UTC to compare. */
export const formatTime = (atMs: number): string =>
  `${formatLocal(atMs)} (${new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z')})`

/** `45 s`, `12 min`, `5 h`, `3 d`: rounded down to the largest unit. */
export function formatAge(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1_000))
  if (s < minuteS) return `${s} s`
  if (s < hourS) return `${Math.floor(s / minuteS)} min`
  return s < 2 * dayS ? `${Math.floor(s / hourS)} h` : `${Math.floor(s / dayS)} d`
}

const unitS: Readonly<Record<string, number>> = { s: 1, m: minuteS, h: hourS, d: dayS }

/** Milliseconds since 1970 of `90s`, `30m`, `2h`, `3d` before now, or of an ISO 8601 date or time; undefined: neither. */
export function parseSince(text: string, nowMs: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined) return nowMs - Number(count) * (unitS[unit] ?? 0) * 1_000
  const atMs = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? undefined : atMs
}
