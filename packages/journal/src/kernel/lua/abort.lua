-- An operator ends an open message. A worker that has it learns so when it writes next. Until then, or until that worker is known to
-- be gone, the line stays held: no call of the next message shall overtake one that is on its way.
-- ARGV[2] = sealed reply or empty, ARGV[3..] = sealed payloads of what is due.
local message = read(a.key)
if not message then return answer('unknown-message') end
-- The answer to this very script got lost.
if message.run == a.run then
  local holder = message.line ~= '' and holderOf(message.line)
  local moved = holder and wake(read(holder)) or nil
  return answer('ok', { held = (message.blockedBy or '') ~= '', moved = moved })
end
if settledStates[message.state] then return answer('settled') end
if tonumber(message.generation) ~= a.generation then return answer('moved-on') end

local holding = (message.blockedBy or '') ~= '' and message.blockedBy or message.state == 'processing' and message.run or nil
local withdrawn = not holding and message.run or nil
if withdrawn then withdraw(message) end
drop(message, runFields)
if ARGV[2] ~= '' then redis.call('SET', replyKey(a.key), ARGV[2]) end
move(message, 'discarded', { run = a.run, settledAt = a.now, outcome = 'ERROR', code = 'aborted', blockedBy = holding })
note(a.key, { what = 'aborted', who = a.who, held = holding and true or nil })
audit('abort', a.key)
if message.acknowledges and readSome(message.acknowledges) then
  note(message.acknowledges, { what = 'unacknowledged', code = 'aborted', by = a.key })
end
if message.collect then awaitCollector(message) end
createDue(message)
local moved = nil
if holding then
  watch(a.key, a.now + watchMs)
else
  redis.call('ZREM', openKey, a.key)
  moved = leaveLine(message)
end
publish(message, ARGV[2])
return answer('ok', { held = holding ~= nil, withdrawn = withdrawn, moved = moved })
