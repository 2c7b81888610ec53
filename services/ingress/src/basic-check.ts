import { createCredentialsCheck } from '@tieline/runtime/basic-credentials'
import type { Client } from '@tieline/runtime/installation'

/** Tells which client the credentials of a Basic header belong to. */
export const createBasicCheck = (clients: readonly Client[]): ((credentials: string) => Client | undefined) =>
  createCredentialsCheck(
    clients.flatMap((client) =>
      client.credentials.flatMap((credential) =>
        'basic' in credential ? [{ ...credential.basic, owner: client }] : [],
      ),
    ),
  )
