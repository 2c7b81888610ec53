-- Nobody waits for the reply any more (`how` = provisional or hung-up). `overdue` asks instead for the e-mail about it.
local message = read(a.key)
if a.overdue then
  redis.call('ZREM', base .. ':uncollected', a.key)
  if not message or message.outcome == 'SUCCESS' or not settledStates[message.state] then return cjson.encode({}) end
  createDue(message)
  return cjson.encode({ notified = true })
end
if not message or tonumber(message.generation) ~= a.generation then return cjson.encode({}) end
set(message, { collect = a.how })
if settledStates[message.state] and message.outcome ~= 'SUCCESS' then
  redis.call('ZADD', base .. ':uncollected', a.how == 'provisional' and a.now + a.collectMs or a.now, a.key)
end
note(a.key, { what = a.how })
return cjson.encode({})
