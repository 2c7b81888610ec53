import { createServer } from 'node:http'
import { startSftpServer } from '@tieline/simulators/sftp-server'

// An SFTP server for measurements, over DIRECTORY. At PORT it says where it is.
const { DIRECTORY: directory = '.', AUTHORIZED_KEY: authorizedKey = '', PORT: port } = process.env
const { host, port: sftpPort, hostKey } = await startSftpServer({ username: 'tieline', authorizedKey, directory })
createServer((_, response) => response.end(JSON.stringify({ host, port: sftpPort, hostKey }))).listen(
  Number(port),
  '127.0.0.1',
)
