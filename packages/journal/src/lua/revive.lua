-- The sweeper found an open message without a job. It gets a new run, unless it moved on meanwhile or has to wait.
local message = read(a.key)
if not message or settledStates[message.state] then
  redis.call('ZREM', openKey, a.key)
  return cjson.encode({})
end
watch(a.key, a.now + a.watchMs)
if message.run ~= a.run then return cjson.encode({}) end
if message.state ~= 'waiting' then
  set(message, { run = a.nextRun })
  redis.call('HDEL', recordKey(a.key), 'token')
  note(a.key, { what = 'revived' })
  return cjson.encode({ moved = { key = a.key, flow = message.flow, run = a.nextRun } })
end
if (message.blockedBy or '') ~= '' then return cjson.encode({ moved = unblock(message) }) end
local holder = redis.call('GET', holderKey(message.line))
if holder == a.key then return cjson.encode({ moved = release(a.key, a.nextRun) }) end
return cjson.encode({})
