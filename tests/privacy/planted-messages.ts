/** Whatever is neither id nor code in these messages carries this mark. */
export const mark = 'PLANTED'

const planted = (what: string) => `${mark}-${what}`

/** What a far side says when it quotes what it was sent. */
export const farWords = planted('words of the far side about Reyes, 555-0142')

/** DACS' error document with the words in every text that it has. */
export const farProblem = {
  problemDetailDocument: {
    title: farWords,
    detail: `<![CDATA[${farWords}]]>`,
    problemInstance: farWords,
    serverMessage: { messageCategory: 1, messageNumber: 2, messageText: farWords, messageParameters: [farWords] },
  },
}

/** DERMS' acknowledgment with the words. */
export const farAck = (ackType: 'ERROR' | 'FAILURE') => ({
  MsgAck: { ackType, whenISO: '', responses: { response: [{ id: '', value: farWords, responseCode: ackType }] } },
})

/** F1 */
export const enrollmentRequest = (...params: unknown[]) => ({
  drmsInstanceId: 'SITE1',
  extra: planted('extra'),
  params,
})

export const enrollment = (messageId: string) => ({
  messageId,
  extra: planted('extra of a record'),
  customerInfo: {
    cisPersonId: planted('person'),
    cisAccountId: planted('account'),
    name: planted('name'),
    homePhone: planted('home-phone'),
    businessPhone: planted('business-phone'),
    email: planted('email@example.org'),
    extra: planted('extra of a customer'),
  },
  programInfo: {
    cisServiceAgreementId: planted('agreement'),
    programCode: 'BYOT-SUMMER',
    startDateTimeISO: '2024-09-01T00:00:00Z',
  },
  locationInfo: {
    division: 'CA',
    cisPremiseId: planted('premise'),
    cisServicePointId: planted('service-point'),
    address1: planted('address'),
    city: planted('city'),
    county: planted('county'),
    postal: planted('zip'),
    extra: planted('extra of a location'),
  },
  assetInfo: {
    installationMethod: 'X1SI',
    assetOwnership: 'W1CO',
    assetList: [
      {
        sequence: 1,
        assetId: planted('asset'),
        specification: 'NEST!N3GEN',
        assetType: 'SMART_THERMOSTAT',
        badgeNo: planted('badge'),
        serialNo: planted('serial'),
        nicId: 'NIC-0001',
        headEndSystem: 'NEST',
        extra: planted('extra of an asset'),
      },
    ],
  },
})

/** F2 */
export const enrollmentSync = (syncRequestId: string, more: object = {}) => ({
  extra: planted('extra'),
  sendDetails: {
    syncRequestId,
    contactInfo: { contactId: planted('ctct'), cisPersonId: planted('person'), name: planted('extra contact') },
    subscriptionInfo: {
      subscriptionId: `U-${syncRequestId}`,
      cisAccountId: planted('account'),
      subscriptionType: 'BYOT',
      status: 'ACTIVE',
      programId: planted('prog'),
      programCode: 'BYOT-SUMMER',
      startDateTime: '2024-09-01T00:00:00-07:00',
      extra: planted('extra of a subscription'),
    },
    locationInfo: {
      division: 'CA',
      servicePointId: planted('svpt'),
      cisPremiseId: planted('premise'),
      cisServicePointId: planted('service-point'),
      address: planted('extra address'),
      controllableDevices: [
        {
          deviceId: planted('dev'),
          deviceType: planted('device type'),
          nicId: 'NIC-0001',
          headEndSystem: 'NEST',
          serialNo: planted('serial'),
          badgeNo: planted('badge'),
          deviceLocationStatus: 'D1YS',
          extra: planted('extra of a device'),
        },
      ],
    },
    ...more,
  },
})

/** F3 */
export const enrollmentSyncAck = (dacsMessageId: string, responseCode: 'SUCCESS' | 'ERROR') => ({
  MsgAck: {
    ackType: responseCode,
    whenISO: '',
    extra: planted('extra'),
    responses: { response: [{ id: '', value: planted('error text'), responseCode, dacsMessageId }] },
  },
})

/** F4 */
export const deviceStatusCheck = (communicationId: string) => ({
  sendDetails: {
    communicationId,
    deviceInfo: {
      division: 'CA',
      deviceType: planted('device type'),
      specification: planted('specification'),
      headEndSystem: 'NEST',
      nicid: 'NIC-0001',
      owner: planted('extra owner'),
    },
  },
})

/** F5 */
export const deviceStatusAck = (dacsMessageId: string, responseCode: unknown = 'SUCCESS') => ({
  dacsMessageId,
  responseCode,
  extra: planted('extra'),
})

/** F6 and F9: the message, and a file with a column too many. */
export const eventFile = (messageId: string) => ({
  drmsInstanceId: 'SITE1',
  messageId,
  eventId: 'E-1',
  stageId: '1',
  extra: planted('extra'),
})

export const reservationCsv = `nicId,headEndSystemId,owner\n${planted('nic')},${planted('head-end')},${planted('owner')}\n`

export const outcomeCsv = (outcome: string) =>
  `stageId,nicId,headEndSystemId,outcome,owner\n1,${planted('nic')},NEST,${outcome},${planted('owner')}\n`

export const plantedOutcome = planted('outcome')

export const plantedCode = planted('code')

/** F7 */
export const stageStatus = (stageId: string, messageId: string, stageStatus: string, more: object = {}) => ({
  drmsInstanceId: 'SITE1',
  messageId,
  eventId: 'E-1',
  stageId,
  programCode: 'BYOT-SUMMER',
  eventType: 'X1EC',
  stageStatus,
  stageStartDateTime: '2024-09-01T18:00:00Z',
  stageEndDateTime: '2024-09-01T20:00:00Z',
  cancelReason: planted('cancel reason'),
  extra: planted('extra'),
  ...more,
})

/** More than Redis is given: it goes to the payload store. */
export const large = { extra: planted('much ').repeat(400_000) }
