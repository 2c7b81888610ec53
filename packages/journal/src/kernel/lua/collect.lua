-- Nobody waits for the reply any more (`how` = provisional or hung-up). `overdue` asks instead for the e-mail about it.
-- ARGV[3] = its sealed payload.
local message = read(a.key)
if a.overdue then
  redis.call('ZREM', uncollectedKey, a.key)
  if not message or message.outcome == 'SUCCESS' or not settledStates[message.state] then return answer('nothing-to-tell') end
  createDue(message)
  return answer('notified')
end
if not message or tonumber(message.generation) ~= a.generation then return answer('moved-on') end
set(message, { collect = a.how })
if settledStates[message.state] and message.outcome ~= 'SUCCESS' then awaitCollector(message) end
note(a.key, { what = a.how })
return answer('ok')
