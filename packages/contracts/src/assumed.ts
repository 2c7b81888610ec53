/**
 * What neither system has published, in one place. Nothing of it is a wall: an installation where it is otherwise says so in
 * its file, in the section `compat` and in `fieldNames` of a connection.
 */

/**
 * Greatest lengths of texts for which no page gives one, in UTF-16 units. A longer text goes on and is noted, unless the
 * installation wants otherwise (`compat.unpublishedRules`, `compat.lengths`).
 */
export const assumedLength = {
  /** A text of which nothing is known at all. */
  unknown: 254,
  /** Keys of Routing: `drmsInstanceId`, and the division of DACS' messages. */
  routingKey: 120,
  cisServiceAgreementId: 30,
  programCode: 120,
  division: 5,
  cisPremiseId: 60,
  cisServicePointId: 60,
  timeZone: 10,
  city: 90,
  country: 3,
  county: 90,
  state: 6,
  postal: 12,
  assetId: 14,
  assetType: 30,
  badgeNo: 60,
  headEndSystem: 50,
  make: 30,
  model: 30,
  /** Room for `make!model`, because a key without a row in AssetSpec goes to DACS as it is, and DACS refuses it. */
  specification: 61,
  contactId: 12,
  subscriptionId: 12,
  programId: 12,
  /** Fields of the devices of the enrollment sync, whose table ends before them. */
  deviceId: 12,
  deviceType: 30,
  deviceSpecification: 30,
  deviceNicId: 100,
  deviceSerialNo: 60,
  /** Of the messages of F7 and F9, whose fields no page names. */
  messageId: 120,
  eventId: 120,
  code: 30,
} as const

/** Device fields of the enrollment sync, as DACS names them and as DERMS does. */
export const assumedDeviceField = {
  status: { dacs: 'deviceLocationStatus', derms: 'deviceStatus' },
  installed: { dacs: 'installDateTime', derms: 'installDateTimeISO' },
  removed: { dacs: 'removalDateTime', derms: 'removalDateTimeISO' },
} as const

/** Roots around the answers of DACS. They were seen for reading, not for posting; readers accept answers without them. */
export const assumedAnswerRoot = { enrollment: 'X1-DAEnroll', deviceStatus: 'X1-CDStsChkR' } as const
