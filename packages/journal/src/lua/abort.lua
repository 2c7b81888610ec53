-- An operator ends an open message. A worker that has it learns so when it writes next. Until then, or until that worker is known to
-- be gone, the line stays held: no call of the next message shall overtake one that is on its way.
-- ARGV[2] = sealed reply or empty, ARGV[3..] = sealed payloads of what is due.
local message = read(a.key)
if not message then return cjson.encode({ kind = 'unknown-message' }) end
-- The answer to this very script got lost.
if message.run == a.run then
  local holder = message.line ~= '' and holderOf(message.line)
  local moved = holder and wake(read(holder)) or nil
  return cjson.encode({ kind = 'ok', held = (message.blockedBy or '') ~= '', moved = moved })
end
if settledStates[message.state] then return cjson.encode({ kind = 'settled' }) end
if tonumber(message.generation) ~= a.generation then return cjson.encode({ kind = 'moved-on' }) end

local holding = (message.blockedBy or '') ~= '' and message.blockedBy or message.state == 'processing' and message.run or nil
local withdrawn = not holding and message.run or nil
if withdrawn then withdraw(message) end
redis.call('HDEL', recordKey(a.key), 'token', 'started', 'nextAt')
set(message, { run = a.run, settledAt = a.now, outcome = 'ERROR', code = 'aborted', blockedBy = holding })
if ARGV[2] ~= '' then redis.call('SET', replyKey(a.key), ARGV[2]) end
move(message, 'discarded')
note(a.key, { what = 'aborted', who = a.who, held = holding and true or nil })
audit('abort', a.key)
if message.acknowledges and read(message.acknowledges) then
  note(message.acknowledges, { what = 'unacknowledged', code = 'aborted', by = a.key })
end
if message.collect then
  redis.call('ZADD', base .. ':uncollected', message.collect == 'provisional' and a.now + a.collectMs or a.now, a.key)
end
createDue(message)
local moved = nil
if holding then
  watch(a.key, a.now + a.watchMs)
else
  redis.call('ZREM', openKey, a.key)
  moved = leaveLine(message, a.nextRun)
end
redis.call('PUBLISH', base .. ':news', a.key)
return cjson.encode({ kind = 'ok', held = holding ~= nil, withdrawn = withdrawn, moved = moved })
