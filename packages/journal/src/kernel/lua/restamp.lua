-- The clock has gone back: an open message with times of the future lives by the new time from now on. `from` is the set that
-- named it, and `delayMs` how long its next attempt still has to wait.
local message = read(a.key)
if not message then
  redis.call('ZREM', base .. a.from, a.key)
  return answer('ok')
end
if settledStates[message.state] or tonumber(message.stateAt) <= a.now then return answer('ok') end
local fields = { nextAt = message.nextAt and a.now + a.delayMs }
if tonumber(message.acceptedAt) > a.now then
  fields.acceptedAt = a.now
  redis.call('ZADD', openSinceKey(message.flow), a.now, a.key)
end
if tonumber(message.failedSince or '0') > a.now then fields.failedSince = a.now end
move(message, message.state, fields)
watch(a.key, a.now + a.delayMs + watchMs)
return answer('ok')
