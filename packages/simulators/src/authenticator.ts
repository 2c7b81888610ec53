/** Who may call a simulated system. Basic and bearer may both be allowed; a scheme that is not configured is refused. */
export interface Auth {
  readonly basic?: { readonly username: string; readonly password: string }
  /** The one valid token, or a check of the token. */
  readonly bearer?: string | ((token: string) => boolean | Promise<boolean>)
}

/** Without `auth` everybody is known. */
export function createAuthenticator(auth: Auth | undefined): (header: string | undefined) => Promise<boolean> {
  return async (header = '') => {
    if (auth === undefined) return true
    const [scheme = '', credentials = ''] = header.split(' ')
    switch (scheme.toLowerCase()) {
      case 'basic':
        return auth.basic !== undefined && header === basicAuthorization(auth.basic)
      case 'bearer':
        return typeof auth.bearer === 'function' ? auth.bearer(credentials) : credentials === auth.bearer
      default:
        return false
    }
  }
}

/** Value of the `authorization` header for HTTP Basic. */
export const basicAuthorization = (user: { readonly username: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`
