import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { z } from 'zod'
import { createFaultControl, type Drivable, httpStatus, obey } from './control-routes.ts'
import type { SftpServer } from './sftp-server.ts'

export interface PlacedFile {
  readonly name: string
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
}

/** Files of one place. No name leads out of it. */
export interface FilePlace {
  /** In the order of their names. */
  list(): Promise<readonly PlacedFile[]>
  /** Also in the place of an older one; nobody sees half of it. */
  put(name: string, content: Readable): Promise<void>
  /** @throws Refusal 404 when there is no such file, as does `remove` */
  read(name: string): Promise<Buffer>
  remove(name: string): Promise<void>
}

/** How a place of files can be driven. `reset` also removes its files. */
type DrivableFiles = Drivable & { readonly files: FilePlace; cutAfter(bytes: number): void }

export interface FilesControlOptions {
  readonly sftp: DrivableFiles & Pick<SftpServer, 'logins' | 'cut' | 'refuseConnections'>
  readonly objectStorage: DrivableFiles
}

/** `/sftp/control/…` and `/object-storage/control/…`, for those who are in another process: neither protocol has a place for it. */
export function createFilesControl({ sftp, objectStorage }: FilesControlOptions): Hono {
  const sftpControl = createPlaceControl(sftp, sftpStatus)
  sftpControl.get('/logins', (c) => c.json(sftp.logins))
  sftpControl.post('/cut', (c) => obey(c, z.unknown(), sftp.cut))
  sftpControl.post('/refuse-connections', (c) => obey(c, refusing, ({ refuse }) => sftp.refuseConnections(refuse)))
  return new Hono()
    .route('/sftp/control', sftpControl)
    .route('/object-storage/control', createPlaceControl(objectStorage, httpStatus))
}

/** Those of version 3 of SFTP that say no. */
const sftpStatus = z.number().int().min(1).max(8)

const refusing = z.strictObject({ refuse: z.boolean().default(true) })
const cutting = z.strictObject({ bytes: z.number().int().min(0) })

/** Any name, with line breaks too; the place refuses what it cannot have. */
const oneFile = '/files/:name{[\\s\\S]+}'

function createPlaceControl(place: DrivableFiles, status: z.ZodNumber): Hono {
  const { files } = place
  const control = createFaultControl(place, status)
  control.post('/cut-after', (c) => obey(c, cutting, ({ bytes }) => place.cutAfter(bytes)))
  control.get('/files', async (c) => c.json(await files.list()))
  control.put(oneFile, async (c) => {
    await files.put(c.req.param('name'), Readable.from(c.req.raw.body ?? []))
    return c.body(null, 204)
  })
  control.get(oneFile, async (c) => {
    const content = await files.read(c.req.param('name'))
    return c.body(new Uint8Array(content), 200, {
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    })
  })
  control.delete(oneFile, async (c) => {
    await files.remove(c.req.param('name'))
    return c.body(null, 204)
  })
  return control
}
