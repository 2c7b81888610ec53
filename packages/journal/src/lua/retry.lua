-- The attempt ends without a result: another follows at `nextAt`. A postponement is no failure.
local message = read(a.key)
if message and message.endedBy == a.token then
  local holder = message.state == 'waiting' and holderOf(message.line)
  return cjson.encode({ kind = 'ok', moved = holder and wake(read(holder)) or nil })
end
local reason = lost(message)
if reason then return cjson.encode({ kind = reason }) end

redis.call('HDEL', recordKey(a.key), 'token')
set(message, { nextAt = a.nextAt, endedBy = a.token })
if a.code then
  set(message, { code = a.code, failures = tonumber(message.failures) + 1 })
  if not message.failedSince then set(message, { failedSince = a.now }) end
  note(a.key, { what = 'retry', code = a.code, inMs = a.nextAt - a.now })
else
  note(a.key, { what = 'postponed', inMs = a.nextAt - a.now })
end
move(message, 'retrying')
watch(a.key, a.nextAt + a.watchMs)
if a.mark then set(message, { [a.mark] = '1' }) end
createDue(message)
return cjson.encode({ kind = 'ok', moved = giveWay(message, a.nextRun) })
