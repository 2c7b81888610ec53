/** Choices by name, as a record keeps them; see `Attempt.pin`. */
export const readPins = (stored: string | null | undefined): Record<string, string> =>
  stored ? JSON.parse(stored) : {}
