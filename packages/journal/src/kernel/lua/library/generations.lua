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

local function withOptional(fields, c)
  for _, name in ipairs(optionalFields) do
    if c[name] ~= nil then fields[name] = c[name] end
  end
  return fields
end

-- A message seen for the first time. `c` holds key, flow, instance, id, client, hash, run, line, terms, division, payloadRef, and
-- some of `optionalFields`. A record of this format has everything that workers of the one before rely on.
local function create(c, payload)
  local message = { key = c.key, flow = c.flow, line = c.line or '', seq = redis.call('INCR', seqKey) }
  local state = joinLine(message) and 'accepted' or 'waiting'
  redis.call('ZADD', stateKey(c.flow, state), a.now, c.key)
  set(message, withOptional({
    flow = c.flow, instance = c.instance, id = c.id, client = c.client, hash = c.hash, run = c.run, line = message.line,
    division = c.division, payloadRef = c.payloadRef or '', seq = message.seq, generation = 1, attempts = 0, failures = 0,
    firstAcceptedAt = a.now, acceptedAt = a.now, state = state, stateAt = a.now,
  }, c))
  redis.call('ZADD', openSinceKey(c.flow), a.now, c.key)
  hold(c.payloadRef)
  hold(c.fileRef)
  storePayload(message, payload)
  index(message, c.terms)
  watch(c.key, a.now + watchMs)
  return message
end

-- A new generation makes an acknowledgment of the one before void that DERMS has not taken.
local function withdrawAcknowledgment(message)
  local ack = message.ack and read(message.ack)
  if not ack or (settledStates[ack.state] and ack.state ~= 'dead') then return end
  withdraw(ack)
  drop(ack, runFields)
  redis.call('ZREM', openKey, ack.key)
  local state = ack.state == 'dead' and 'resolved' or 'superseded'
  move(ack, state)
  note(ack.key, { what = state, by = message.key })
end

-- Starts a new generation of a known message: fresh schedule, fresh reply, effects kept unless the caller forgets them.
-- An attempt that still runs is superseded, and the new generation waits for its end.
local function again(message, run)
  local blocking = message.state == 'processing' and message.run or message.blockedBy
  if message.state == 'dead' then note(message.key, { what = 'resolved', generation = tonumber(message.generation) }) end
  if ticketOf(message) and run ~= message.run then withdraw(message) end
  withdrawAcknowledgment(message)
  drop(message, generationFields)
  redis.call('DEL', recordedKey(message.key), replyKey(message.key))
  redis.call('ZREM', uncollectedKey, message.key)
  redis.call('ZREM', spentKey, message.key)
  redis.call('ZADD', openSinceKey(message.flow), a.now, message.key)
  message.blockedBy = blocking
  local free = joinLine(message) and (blocking or '') == ''
  move(message, free and 'accepted' or 'waiting', { generation = tonumber(message.generation) + 1, run = run, attempts = 0,
    failures = 0, acceptedAt = a.now, blockedBy = blocking })
  watch(message.key, a.now + watchMs)
end

-- The attempt that a newer payload superseded, or an operator aborted, has ended: let the newer generation go, or the line.
local function unblock(message)
  drop(message, { 'blockedBy' })
  if settledStates[message.state] then
    redis.call('ZREM', openKey, message.key)
    return leaveLine(message)
  end
  if message.line ~= '' and holderOf(message.line) ~= message.key then return nil end
  return release(message.key, a.nextRun)
end

-- What is due because of the message: e-mails and its acknowledgment, each a message of its own. Some e-mails are about no
-- message.
local function createDue(message)
  for i, due in ipairs(a.due or {}) do
    if due.acknowledges then set(message, { ack = due.key }) end
    if redis.call('EXISTS', recordKey(due.key)) == 0 then
      create(due, ARGV[2 + i])
      local what = due.acknowledges and 'acknowledging' or 'notified'
      if message then note(message.key, { what = what, code = due.code, notice = due.key }) end
    end
  end
end
