-- Records a message that the ingress received; decides whether it is new, a repeat or a changed one.
-- ARGV[2] = sealed payload, empty when the payload store holds it.
-- The job that came with it has been worked on already, and found nothing to do.
if a.late then a.run = a.run .. '-late' end
local message = read(a.key)
-- Of the request before this one.
local tracedBefore = message and message.trace
-- `run`: whose job there has to be.
local function result(kind, known, more)
  local fields = more or {}
  fields.generation = tonumber(known.generation)
  fields.seen = a.seen and tonumber(redis.call('HGET', workersKey, a.flow) or '0') or nil
  fields.acceptedAt = tonumber(known.acceptedAt)
  fields.run = kind ~= 'replayed' and known.state ~= 'waiting' and known.run or nil
  fields.trace = tracedBefore
  return answer(kind, fields)
end

local referenceNames = { 'payloadRef', 'fileRef' }
for _, name in ipairs(referenceNames) do
  local reference = a[name] or ''
  local ours = message and message[name] == reference
  if reference ~= '' and not ours and not isPending(reference) then return answer('gone') end
end

local mayAnswer = a.answersKeys and {}
for _, key in ipairs(a.answersKeys or {}) do mayAnswer[key] = true end
for _, term in ipairs(a.answers or {}) do
  for _, key in ipairs(redis.call('HKEYS', termKey(term))) do
    if (not mayAnswer or mayAnswer[key]) and redis.call('HGET', recordKey(key), 'flow') == a.answersFlow then
      set({ key = key }, { answered = '1' })
    end
  end
end

if not message then return result('new', create(a, ARGV[2])) end

-- References of `from` that the record does not hold.
local function unheld(from)
  local references = {}
  for _, name in ipairs(referenceNames) do
    local reference = from[name] or ''
    if reference ~= '' and message[name] ~= reference then references[#references + 1] = reference end
  end
  return references
end

-- A message without an id is known by its content, and statuses come again: what another message of its line overtook is meant
-- anew. Unless its sender has a reason to repeat it: it was told FAILURE, or to come again, or hung up.
local function isMeantAnew()
  if not a.unnamed or message.line == '' or message.collect or message.outcome == 'FAILURE' then return false end
  for _, term in ipairs(a.terms) do
    for _, key in ipairs(redis.call('HKEYS', termKey(term))) do
      local line, seq = unpack(redis.call('HMGET', recordKey(key), 'line', 'seq'))
      if line == message.line and tonumber(seq) > tonumber(message.seq) then return true end
    end
  end
  return false
end
if isMeantAnew() then return answer('overtaken') end

-- The acknowledgment that DERMS got, or should have got, goes out once more.
local function acknowledgeAgain()
  local ack = message.ack and read(message.ack)
  if not ack then return nil end
  if settledStates[ack.state] then
    forgetEffects(ack)
    again(ack, a.nextRun)
    note(ack.key, { what = 'accepted', generation = tonumber(ack.generation) })
  end
  return wake(ack)
end

local function replay(moved)
  redis.call('ZREM', uncollectedKey, a.key)
  drop(message, { 'collect' })
  note(a.key, { what = 'replayed', client = a.client })
  local reply = redis.call('GET', replyKey(a.key)) or nil
  return result('replayed', message, { reply = reply, unused = listOrNil(unheld(a)), moved = moved })
end

local same = message.hash == a.hash
if not settledStates[message.state] and same then
  drop(message, { 'collect' })
  note(a.key, { what = 'attached', client = a.client })
  return result('attached', message, { unused = listOrNil(unheld(a)) })
end
if message.state == 'succeeded' and same and message.answered ~= '1' and a.now - tonumber(message.settledAt) <= replayMs then
  return replay(acknowledgeAgain())
end
-- An operator ended it while its caller was away with the promise of a result: that is the result.
if same and message.state == 'discarded' and message.code == 'aborted' and message.collect then return replay(nil) end

local withdrawn = ticketOf(message)
local before = { payloadRef = message.payloadRef, fileRef = message.fileRef }
local unused = {}
local moved = nil
-- What was acknowledged is finished: when its sender sends it all the same, it wants it done again.
if not same or message.answered == '1' then forgetEffects(message) end
if not same then
  if message.line ~= (a.line or '') then moved = leaveLine(message) end
  unused[1] = message.indexRef
  drop(message, { 'indexRef', 'division', unpack(optionalFields) })
  -- Callers of generations before this one are told that they are superseded.
  set(message, { line = a.line or '', hash = a.hash, changed = tonumber(message.generation) + 1, division = a.division })
  index(message, a.terms)
end
set(message, withOptional({ payloadRef = a.payloadRef or '' }, a))
hold(a.payloadRef)
hold(a.fileRef)
if (a.payloadRef or '') ~= '' then redis.call('DEL', payloadKey(a.key)) end
storePayload(message, ARGV[2])
again(message, a.run)
note(a.key, { what = 'accepted', generation = tonumber(message.generation), client = a.client,
  changed = (not same) or nil, waiting = message.state == 'waiting' or nil })
for _, reference in ipairs(unheld(before)) do unused[#unused + 1] = reference end
for _, reference in ipairs(unused) do letGo(reference) end
-- Whoever waits for a generation before learns that its payload was superseded.
publish(message)
return result(same and 'again' or 'changed', message, { withdrawn = withdrawn, moved = moved, unused = listOrNil(unused) })
