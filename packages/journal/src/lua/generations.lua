-- What a term finds is a hash without values: most hold one key, and older servers keep small hashes compact, but not sets.
-- The terms of a message are kept one after the other, each packed, so that they can be found again when it goes.
local function index(message, terms)
  local added = {}
  for _, term in ipairs(terms) do
    if redis.call('HSET', termKey(term), message.key, '') == 1 then added[#added + 1] = cmsgpack.pack(term) end
  end
  if #added > 0 then redis.call('APPEND', termsKey(message.key), table.concat(added)) end
end

local function unindex(key)
  local terms = redis.call('GET', termsKey(key))
  local offset = terms and 0 or -1
  while offset >= 0 do
    local term
    offset, term = cmsgpack.unpack_one(terms, offset)
    redis.call('HDEL', termKey(term), key)
  end
  redis.call('DEL', termsKey(key))
end

local function storePayload(message, payload)
  if payload ~= '' then redis.call('SET', payloadKey(message.key), payload) end
end

local optionalFields = { 'follows', 'fileRef', 'fileName', 'fileBytes', 'fileSha256', 'acknowledges', 'trace' }

local function setOptional(message, c)
  for _, name in ipairs(optionalFields) do
    if c[name] ~= nil then set(message, { [name] = c[name] }) end
  end
end

-- A message seen for the first time. `c` holds key, flow, instance, id, client, hash, run, line, terms, division, payloadRef, and
-- some of `optionalFields`.
local function create(c, payload)
  local message = { key = c.key, flow = c.flow, line = c.line or '', seq = redis.call('INCR', base .. ':seq') }
  local fields = {
    flow = c.flow, instance = c.instance, id = c.id, client = c.client, hash = c.hash, run = c.run, line = message.line,
    division = c.division or '', payloadRef = c.payloadRef or '', seq = message.seq,
    generation = 1, attempts = 0, failures = 0, firstAcceptedAt = a.now, acceptedAt = a.now,
    state = joinLine(message) and 'accepted' or 'waiting', stateAt = a.now,
  }
  for _, name in ipairs(optionalFields) do fields[name] = c[name] end
  set(message, fields)
  redis.call('ZADD', stateKey(c.flow, message.state), a.now, c.key)
  redis.call('ZADD', openSinceKey(c.flow), a.now, c.key)
  hold(c.payloadRef)
  hold(c.fileRef)
  storePayload(message, payload)
  index(message, c.terms)
  watch(c.key, a.now + a.watchMs)
  return message
end

-- A new generation makes an acknowledgment of the one before void that DERMS has not taken.
local function withdrawAcknowledgment(message)
  local ack = message.ack and read(message.ack)
  redis.call('HDEL', recordKey(message.key), 'ack')
  message.ack = nil
  if not ack or (settledStates[ack.state] and ack.state ~= 'dead') then return end
  withdraw(ack)
  redis.call('HDEL', recordKey(ack.key), 'token', 'started', 'nextAt')
  redis.call('ZREM', openKey, ack.key)
  local state = ack.state == 'dead' and 'resolved' or 'superseded'
  move(ack, state)
  note(ack.key, { what = state, by = message.key })
end

-- Starts a new generation of a known message: fresh schedule, fresh reply, effects kept unless the caller forgets them.
-- An attempt that still runs is superseded, and the new generation waits for its end.
local function again(message, run)
  local before = message.state
  if before == 'processing' then set(message, { blockedBy = message.run }) end
  if before == 'dead' then note(message.key, { what = 'resolved', generation = tonumber(message.generation) }) end
  if ticketOf(message) and run ~= message.run then withdraw(message) end
  redis.call('HDEL', recordKey(message.key), 'token', 'started', 'failedSince', 'nextAt', 'alarmed', 'denied', 'reason', 'code', 'outcome',
    'settledAt', 'endedBy', 'collect', 'answered', 'pins', 'made', 'rows', 'files', 'faults', 'behind', 'window', 'acknowledgedAt', 'forced')
  withdrawAcknowledgment(message)
  redis.call('DEL', recordedKey(message.key), replyKey(message.key))
  redis.call('ZREM', base .. ':uncollected', message.key)
  redis.call('ZREM', base .. ':spent', message.key)
  message.token = nil
  message.started = nil
  set(message, { generation = tonumber(message.generation) + 1, run = run, attempts = 0, failures = 0, acceptedAt = a.now })
  redis.call('ZADD', openSinceKey(message.flow), a.now, message.key)
  local free = joinLine(message) and (message.blockedBy or '') == ''
  move(message, free and 'accepted' or 'waiting')
  watch(message.key, a.now + a.watchMs)
end

-- Why an attempt may not write any more, or nil when it still holds its message.
local function lost(message)
  if not message then return 'gone' end
  if message.token == a.token then return nil end
  if message.blockedBy == a.run then return 'superseded' end
  return 'stale'
end

-- The attempt that a newer payload superseded, or an operator aborted, has ended: let the newer generation go, or the line.
local function unblock(message)
  redis.call('HDEL', recordKey(message.key), 'blockedBy')
  message.blockedBy = nil
  if settledStates[message.state] then
    redis.call('ZREM', openKey, message.key)
    return leaveLine(message, a.nextRun)
  end
  if message.line ~= '' and holderOf(message.line) ~= message.key then return nil end
  return release(message.key, a.nextRun)
end

-- What is due because of the message: e-mails and its acknowledgment, each a message of its own. Some e-mails are about no
-- message.
local function createDue(message)
  for i, due in ipairs(a.due or {}) do
    if due.acknowledges then set(message, { ack = due.key }) end
    if not read(due.key) then
      create(due, ARGV[2 + i])
      note(due.key, { what = 'accepted', generation = 1 })
      local what = due.acknowledges and 'acknowledging' or 'notified'
      if message then note(message.key, { what = what, code = due.code, notice = due.key }) end
    end
  end
end

-- E-mails of one kind within some time: what is known of the window, and the sealed words of the first that joined it.
local windowsKey = base .. ':windows'
local function windowKey(window) return base .. ':w:' .. window end
local function joinedKey(window) return base .. ':j:' .. window end

-- Connections that an e-mail told to be down, and since when those of them have answered again.
local downKey = base .. ':down'
local recoveringKey = base .. ':recovering'
local function reached(connection)
  if redis.call('HEXISTS', downKey, connection) == 1 then redis.call('ZADD', recoveringKey, 'NX', a.now, connection) end
end
-- An e-mail may come late: what failed before the connection answered says nothing.
local function missed(connection, at)
  local answeredAt = redis.call('ZSCORE', recoveringKey, connection)
  if answeredAt and tonumber(answeredAt) <= at then redis.call('ZREM', recoveringKey, connection) end
end

-- Whether it is due because of this very script, whose answer got lost.
local function isDue() return a.due[1] and read(a.due[1].key) ~= nil end
