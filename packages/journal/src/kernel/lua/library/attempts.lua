-- Why an attempt may not write any more, or nil when it still holds its message.
local function lost(message)
  if not message then return 'gone' end
  if message.token == a.token then return nil end
  if message.blockedBy == a.run then return 'superseded' end
  return 'stale'
end

-- Choices of the attempt, such as a connection. The first one wins.
local function keepPins(message, field, pins)
  local stored = redis.call('HGET', recordKey(message.key), field)
  local known = stored and cjson.decode(stored) or {}
  for name, value in pairs(pins) do
    if known[name] == nil then known[name] = value end
  end
  set(message, { [field] = cjson.encode(known) })
end

-- Whatever an attempt writes begins here. What it has chosen, and how its calls ended, rides with its next script, so that nothing that
-- follows from it can be there without it. Of an attempt that is superseded or aborted, at least the ends of calls are kept.
-- Returns the answer to an attempt that lost its message.
local function carry(message)
  local reason = lost(message)
  if not reason or reason == 'superseded' then
    for _, ended in ipairs(a.ended or {}) do reason = keepOutcome(message, ended) or reason end
  end
  if reason then return answer(reason) end
  if a.pins then keepPins(message, 'pins', a.pins) end
  if a.keptPins then keepPins(message, 'keptPins', a.keptPins) end
  return nil
end

-- The message of the attempt with these fields, or nil and the answer.
local function held(...)
  local message = readSome(a.key, 'token', 'blockedBy', 'line', 'seq', ...)
  local refusal = carry(message)
  if refusal then return nil, refusal end
  return message
end
