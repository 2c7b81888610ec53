import { createCredentialsCheck } from '@tieline/runtime/basic-credentials'
import type { BillsSection } from '@tieline/targets/bill-files'

/** Tells from the Authorization header whether a caller is let in; without configured credentials everybody is. */
export function createAuthorize(basic: BillsSection['basic']): (authorization: string | undefined) => boolean {
  if (basic === undefined) return () => true
  const check = createCredentialsCheck([basic].flat().map((pair) => ({ ...pair, owner: true })))
  return (authorization = '') => {
    const [, credentials = ''] = /^basic +(\S+) *$/i.exec(authorization) ?? []
    return check(credentials) === true
  }
}
