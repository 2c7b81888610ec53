-- The sweeper found an open message without a job. It gets a new run, unless it moved on meanwhile or has to wait.
local message = read(a.key)
local aborted = message and settledStates[message.state] and (message.blockedBy or '') ~= ''
if aborted then return cjson.encode({ moved = unblock(message) }) end
if not message or settledStates[message.state] then
  redis.call('ZREM', openKey, a.key)
  return cjson.encode({})
end
watch(a.key, a.now + a.watchMs)
if message.run ~= a.run then return cjson.encode({ moved = message.run == a.nextRun and runOf(message) or nil }) end
if message.state ~= 'waiting' then
  -- BullMQ files the job of a worker that crashed too often among the failed ones; it is no dead letter.
  withdraw(message)
  set(message, { run = a.nextRun })
  redis.call('HDEL', recordKey(a.key), 'token', 'started')
  note(a.key, { what = 'revived' })
  return cjson.encode({ moved = runOf(message) })
end
if (message.blockedBy or '') ~= '' then return cjson.encode({ moved = unblock(message) }) end
return cjson.encode({ moved = joinLine(message) and release(a.key, a.nextRun) or nil })
