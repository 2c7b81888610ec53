import { setTimeout as delay } from 'node:timers/promises'
import type { SFTPWrapper } from 'ssh2'
import type { Fault, Faults } from './faults.ts'
import { createSftpFiles, type Reply, statusOf } from './sftp-files.ts'

export const sftpOperations = [
  'realpath',
  'stat',
  'lstat',
  'fstat',
  'opendir',
  'readdir',
  'open',
  'read',
  'write',
  'close',
  'rename',
  'remove',
] as const

type Operation = (typeof sftpOperations)[number]

export interface SftpRequest {
  readonly operation: Operation
  /** As the client gave it; of a handle, as it was opened. */
  readonly path: string
  /** Of `rename`. */
  readonly newPath?: string
}

export interface SftpRequestsOptions {
  /** What the client sees as `/`. */
  readonly directory: string
  readonly faults: Faults
  readonly onRequest: (request: SftpRequest) => void
  /** Asked before content goes out; false keeps it back. */
  readonly maySend: (bytes: number) => boolean
  /** Cuts the connection. */
  readonly cut: () => void
}

/** Answers the requests of one client, one after the other. */
export function answerSftpRequests(sftp: SFTPWrapper, options: SftpRequestsOptions): void {
  const { faults, onRequest, maySend, cut } = options
  const files = createSftpFiles(options.directory)
  const told = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()

  const answer = async (id: number, { operation, path, newPath = '' }: SftpRequest, perform: () => Promise<Reply>) => {
    const fault = faults.take(operation, `${path} ${newPath}`)
    if (fault?.kind === 'drop-before') return cut()
    const reply = await replyTo(fault, perform)
    const latencyMs = faults.latencyMs(operation, fault)
    if (latencyMs > 0) await delay(latencyMs, undefined, { ref: false })
    if (fault?.kind === 'apply-then-drop') return cut()
    if (reply.kind !== 'data' || maySend(reply.data.length)) send(sftp, id, reply)
  }
  const serve = (id: number, request: SftpRequest, perform: () => Promise<Reply>, repeated = false) => {
    if (!repeated) onRequest(request)
    last = last.then(() => answer(id, request, perform))
  }
  /** A file is read, and a directory told, piece by piece: thousands of requests that say nothing new. */
  const serveHandle = (id: number, operation: Operation, handle: Buffer, perform: () => Promise<Reply>) => {
    const key = `${operation} ${handle.toString('hex')}`
    serve(id, { operation, path: files.pathOf(handle) }, perform, told.has(key))
    told.add(key)
  }

  sftp.on('REALPATH', (id, path) => serve(id, { operation: 'realpath', path }, () => files.realpath(path)))
  sftp.on('STAT', (id, path) => serve(id, { operation: 'stat', path }, () => files.stat(path)))
  sftp.on('LSTAT', (id, path) => serve(id, { operation: 'lstat', path }, () => files.lstat(path)))
  sftp.on('FSTAT', (id, handle) => serveHandle(id, 'fstat', handle, () => files.fstat(handle)))
  sftp.on('OPENDIR', (id, path) => serve(id, { operation: 'opendir', path }, () => files.opendir(path)))
  sftp.on('READDIR', (id, handle) => serveHandle(id, 'readdir', handle, () => files.readdir(handle)))
  sftp.on('OPEN', (id, path, flags) => serve(id, { operation: 'open', path }, () => files.open(path, flags)))
  sftp.on('READ', (id, handle, offset, length) =>
    serveHandle(id, 'read', handle, () => files.read(handle, offset, length)),
  )
  sftp.on('WRITE', (id, handle, offset, data) =>
    serveHandle(id, 'write', handle, () => files.write(handle, offset, data)),
  )
  sftp.on('CLOSE', (id, handle) => serveHandle(id, 'close', handle, () => files.close(handle)))
  sftp.on('RENAME', (id, path, newPath) =>
    serve(id, { operation: 'rename', path, newPath }, () => files.rename(path, newPath)),
  )
  sftp.on('REMOVE', (id, path) => serve(id, { operation: 'remove', path }, () => files.remove(path)))
  sftp.once('close', () => {
    last = last.then(() => files.closeAll())
  })
}

/** The outcome of the request itself, or the failure that was asked for. */
async function replyTo(fault: Fault | undefined, perform: () => Promise<Reply>): Promise<Reply> {
  if (fault?.kind !== 'fail') return perform().catch(statusOf)
  if (fault.apply) await perform().catch(statusOf)
  return { kind: 'status', code: fault.status }
}

function send(sftp: SFTPWrapper, id: number, reply: Reply): void {
  switch (reply.kind) {
    case 'status':
      sftp.status(id, reply.code)
      break
    case 'handle':
      sftp.handle(id, reply.handle)
      break
    case 'data':
      sftp.data(id, reply.data)
      break
    case 'attributes':
      sftp.attrs(id, reply.attributes)
      break
    case 'names':
      sftp.name(id, reply.names)
  }
}
