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
