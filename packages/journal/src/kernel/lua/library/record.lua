-- What scripts share. Each is given only what it uses, after the header that `lua-sources.ts` writes from the schema: `base`, the
-- arguments `a`, functions and constants that name keys, sets of states, lists of fields, and how long things are kept.

local function answer(kind, fields)
  fields = fields or {}
  fields.kind = kind
  return cjson.encode(fields)
end

-- An empty table is an object to JSON.
local function listOrNil(list) return #list > 0 and list or nil end

local function read(key)
  local flat = redis.call('HGETALL', recordKey(key))
  if #flat == 0 then return nil end
  local message = { key = key }
  for i = 1, #flat, 2 do message[flat[i]] = flat[i + 1] end
  return message
end

-- Only some fields: most of what an attempt writes needs few.
local function readSome(key, ...)
  local values = redis.call('HMGET', recordKey(key), 'state', ...)
  if not values[1] then return nil end
  local message = { key = key, state = values[1] }
  for i, name in ipairs({ ... }) do message[name] = values[i + 1] or nil end
  return message
end

local function set(message, fields)
  local flat = {}
  for name, value in pairs(fields) do
    if not recordFields[name] then error('The schema has no field ' .. name) end
    flat[#flat + 1] = name
    flat[#flat + 1] = value
    message[name] = tostring(value)
  end
  redis.call('HSET', recordKey(message.key), unpack(flat))
end

local function drop(message, names)
  for _, name in ipairs(names) do message[name] = nil end
  redis.call('HDEL', recordKey(message.key), unpack(names))
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
local function letGo(reference) redis.call('ZADD', pendingKey, a.now, reference) end

-- The time line keeps the first 20 and the last 180 entries: how it began and how it stands matter most. That a message was
-- accepted first is not on it: the record says so.
local function note(key, entry)
  entry.at = a.now
  local line = timelineKey(key)
  if redis.call('RPUSH', line, cjson.encode(entry)) > 200 then
    redis.call('LSET', line, 20, '-')
    redis.call('LREM', line, 1, '-')
  end
end

local function audit(what, key)
  redis.call('XADD', auditKey, '*', 'at', a.now, 'who', a.who, 'what', what, 'key', key, 'why', a.why or '')
end

local function move(message, state, fields)
  if message.state ~= state then redis.call('ZREM', stateKey(message.flow, message.state), message.key) end
  redis.call('ZADD', stateKey(message.flow, state), a.now, message.key)
  if settledStates[state] then redis.call('ZREM', openSinceKey(message.flow), message.key) end
  fields = fields or {}
  fields.state = state
  fields.stateAt = a.now
  set(message, fields)
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
local function withdraw(message) redis.call('SADD', withdrawnKey, message.flow .. ' ' .. message.run) end

local function ticketOf(message) return message and ticketStates[message.state] and message.run or nil end

-- Whoever waits for a reply hears of it with the end, or that another payload took the place of the one it waits for. An ingress of
-- format 1 understands no more than a key, and looks a few seconds later.
local function publish(message, reply)
  local ended = settledStates[message.state] and '1' or '0'
  redis.call('PUBLISH', newsKey, table.concat({ message.key, message.generation, message.changed or '0', ended, reply or '' }, ' '))
end

-- A bad end that nobody has heard of: people are told, after some time if its sender was told to come again.
local function awaitCollector(message)
  local at = message.collect == 'provisional' and a.now + collectMs or a.now
  redis.call('ZADD', uncollectedKey, at, message.key)
end
