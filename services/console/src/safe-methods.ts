/** Methods that only read. */
export const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD'
