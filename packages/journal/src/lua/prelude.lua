-- Shared by every journal script. KEYS[1] is the journal's base key; every other key lives under it and so in the same
-- hash slot. ARGV[1] is a JSON object with the named arguments, always with `now` (milliseconds).
local base = KEYS[1]
local a = cjson.decode(ARGV[1])

local settledStates = { succeeded = true, refused = true, dead = true, resolved = true, discarded = true, superseded = true }

local function recordKey(key) return base .. ':m:' .. key end
local function payloadKey(key) return base .. ':p:' .. key end
local function effectsKey(key) return base .. ':e:' .. key end
local function timelineKey(key) return base .. ':t:' .. key end
local function stateKey(flow, state) return base .. ':s:' .. flow .. ':' .. state end
local function termKey(term) return base .. ':i:' .. term end
local function lineKey(line) return base .. ':l:' .. line end
local function answeredKey(line) return base .. ':a:' .. line end
local function recordedKey(key) return base .. ':r:' .. key end
-- A reply beside the record: a value above 64 bytes would cost the whole record its compact form.
local function replyKey(key) return base .. ':y:' .. key end
local function termsKey(key) return base .. ':n:' .. key end
local openKey = base .. ':open'
-- When the generation of each open message was accepted: the first is the oldest.
local function openSinceKey(flow) return base .. ':o:' .. flow end
local pendingKey = base .. ':pending'

local function read(key)
  local flat = redis.call('HGETALL', recordKey(key))
  if #flat == 0 then return nil end
  local message = { key = key }
  for i = 1, #flat, 2 do message[flat[i]] = flat[i + 1] end
  return message
end

local function set(message, fields)
  local flat = {}
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
    message[name] = tostring(value)
  end
  redis.call('HSET', recordKey(message.key), unpack(flat))
end

-- An effect is stored as a list of `effectFields`, which is named for us: a file has thousands of them.
local function readEffect(key, id)
  local stored = redis.call('HGET', effectsKey(key), id)
  if not stored then return nil end
  local list = cjson.decode(stored)
  local effect = {}
  for i, name in ipairs(effectFields) do
    if list[i] ~= '' then effect[name] = list[i] end
  end
  return effect
end

local function writeEffect(key, id, effect)
  local list = {}
  for i, name in ipairs(effectFields) do list[i] = effect[name] or '' end
  while list[#list] == '' do list[#list] = nil end
  redis.call('HSET', effectsKey(key), id, cjson.encode(list))
end

-- Every call is a new intention from now on, so the choices that the ids of the old ones depend on are free again.
local function forgetEffects(key)
  redis.call('DEL', effectsKey(key))
  redis.call('HDEL', recordKey(key), 'keptPins')
end

-- A stored payload that no record holds is pending. The sweeper removes those that nobody came for; it marks one before by a
-- score below 0, and then nobody may take it any more.
local function isPending(reference)
  local since = redis.call('ZSCORE', pendingKey, reference)
  return since and tonumber(since) >= 0
end
local function hold(reference)
  if (reference or '') ~= '' then redis.call('ZREM', pendingKey, reference) end
end
-- An empty table is an object to JSON.
local function listOrNil(list) return #list > 0 and list or nil end
local function letGo(reference) redis.call('ZADD', pendingKey, a.now, reference) end

-- The time line keeps the first 20 and the last 180 entries: how it began and how it stands matter most.
local function note(key, entry)
  entry.at = a.now
  local line = timelineKey(key)
  if redis.call('RPUSH', line, cjson.encode(entry)) > 200 then
    redis.call('LSET', line, 20, '-')
    redis.call('LREM', line, 1, '-')
  end
end

local function audit(what, key)
  redis.call('XADD', base .. ':audit', '*', 'at', a.now, 'who', a.who, 'what', what, 'key', key, 'why', a.why or '')
end

local function move(message, state)
  if message.state and message.state ~= state then
    redis.call('ZREM', stateKey(message.flow, message.state), message.key)
  end
  redis.call('ZADD', stateKey(message.flow, state), a.now, message.key)
  if settledStates[state] then redis.call('ZREM', openSinceKey(message.flow), message.key) end
  set(message, { state = state, stateAt = a.now })
end

-- When the sweeper looks next whether the open message still has a job.
local function watch(key, at) redis.call('ZADD', openKey, at, key) end

-- A line has one holder, at 0: the message that may run. The others wait behind it in the order of their first acceptance.
local function holderOf(line)
  local first = redis.call('ZRANGE', lineKey(line), 0, 0, 'WITHSCORES')
  return first[2] == '0' and first[1] or nil
end

local function runOf(message) return { key = message.key, flow = message.flow, run = message.run } end

-- A connection that waits for Redis sends a command again when its answer got lost. A script that finds its work done names
-- the run to add a job for once more; a job that BullMQ knows already is not added twice.
local function wake(message)
  return message and message.state == 'accepted' and runOf(message) or nil
end

-- The job of a run that is over may be anywhere, also on its way into the failed set: the sweeper sees to it that it goes.
local function withdraw(message) redis.call('SADD', base .. ':withdrawn', message.flow .. ' ' .. message.run) end

-- What somebody has to look at keeps its job in the failed set of its queue, where people see it: a retry of the job runs the
-- message again.
local ticketStates = { dead = true, refused = true }
local function ticketOf(message) return message and ticketStates[message.state] and message.run or nil end

-- A message that no worker holds lets an earlier one of its line go first. It is given a new run when its turn comes again.
local function mayStepBack(message, earlier)
  local free = message.state == 'accepted' or message.state == 'retrying'
  return free and (message.blockedBy or '') == '' and tonumber(message.seq) > tonumber(earlier.seq)
end
local function stepBack(message, earlier)
  withdraw(message)
  redis.call('ZADD', lineKey(message.line), message.seq, message.key)
  redis.call('HDEL', recordKey(message.key), 'nextAt')
  move(message, 'waiting')
  note(message.key, { what = 'stepped-back', by = earlier.key })
end

local function joinLine(message)
  if message.line == '' then return true end
  local holder = holderOf(message.line)
  if holder == message.key then return true end
  local other = holder and read(holder)
  if other and mayStepBack(other, message) then
    stepBack(other, message)
    other = nil
  end
  redis.call('ZADD', lineKey(message.line), other and message.seq or 0, message.key)
  return not other
end

-- The target has confirmed or refused a call of the message: no earlier message of its line may follow by itself.
local function markAnswered(message)
  if message.line == '' then return end
  local mark = tonumber(redis.call('GET', answeredKey(message.line)) or '0')
  if tonumber(message.seq) >= mark then redis.call('SET', answeredKey(message.line), message.seq, 'PX', a.retentionMs) end
end

-- Starts a waiting message under a new run id: a job under the old one may already have come and gone.
local function release(key, run)
  local message = read(key)
  if not message or message.state ~= 'waiting' or (message.blockedBy or '') ~= '' then return nil end
  set(message, { run = run })
  move(message, 'accepted')
  watch(key, a.now + a.watchMs)
  note(key, { what = 'released' })
  return runOf(message)
end

local function leaveLine(message, nextRun)
  if message.line == '' then return nil end
  local held = holderOf(message.line) == message.key
  redis.call('ZREM', lineKey(message.line), message.key)
  local first = held and redis.call('ZRANGE', lineKey(message.line), 0, 0)[1]
  if not first then return nil end
  redis.call('ZADD', lineKey(message.line), 0, first)
  return release(first, nextRun)
end

-- Between two attempts: an earlier message that came back meanwhile, such as a dead letter that was resubmitted, goes first.
local function giveWay(message, nextRun)
  if message.line == '' then return nil end
  local second = redis.call('ZRANGE', lineKey(message.line), 1, 1)[1]
  local earlier = second and read(second)
  if not earlier or (earlier.blockedBy or '') ~= '' or not mayStepBack(message, earlier) then return nil end
  stepBack(message, earlier)
  redis.call('ZADD', lineKey(message.line), 0, second)
  return release(second, nextRun)
end

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
