/** Settings with which no simulator is in the way of another. */
export const anyPorts = {
  DACS_SIMULATOR_PORT: '0',
  DERMS_SIMULATOR_PORT: '0',
  TOKEN_ISSUER_PORT: '0',
  MAILBOX_CONTROL_PORT: '0',
  MAILBOX_PORT: '0',
  SFTP_SIMULATOR_PORT: '0',
  OBJECT_STORAGE_SIMULATOR_PORT: '0',
  FILES_CONTROL_PORT: '0',
}
