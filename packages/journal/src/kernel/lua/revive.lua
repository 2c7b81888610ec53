-- The sweeper found an open message without a job. It gets a new run, unless it moved on meanwhile or has to wait.
local message = read(a.key)
local aborted = message and settledStates[message.state] and (message.blockedBy or '') ~= ''
if aborted then return answer('ok', { moved = unblock(message) }) end
if not message or settledStates[message.state] then
  redis.call('ZREM', openKey, a.key)
  return answer('ok')
end
watch(a.key, a.now + watchMs)
if message.run ~= a.run then return answer('ok', { moved = message.run == a.nextRun and runOf(message) or nil }) end
if message.state ~= 'waiting' then
  -- BullMQ files the job of a worker that crashed too often among the failed ones; it is no dead letter.
  withdraw(message)
  drop(message, runFields)
  set(message, { run = a.nextRun })
  note(a.key, { what = 'revived' })
  return answer('ok', { moved = runOf(message) })
end
if (message.blockedBy or '') ~= '' then return answer('ok', { moved = unblock(message) }) end
return answer('ok', { moved = joinLine(message) and release(a.key, a.nextRun) or nil })
