-- The attempt ends without a result: another follows at `nextAt`. A postponement is no failure.
-- ARGV[3..] = sealed payloads of what is due.
local message = read(a.key)
if message and message.endedBy == a.token then
  local holder = message.state == 'waiting' and holderOf(message.line)
  return answer('ok', { moved = holder and wake(read(holder)) or nil })
end
local refusal = carry(message)
if refusal then return refusal end

drop(message, attemptFields)
local fields = { nextAt = a.nextAt, endedBy = a.token }
if a.mark then fields[a.mark] = '1' end
if a.code then
  fields.code = a.code
  fields.failures = tonumber(message.failures) + 1
  fields.failedSince = message.failedSince or a.now
  note(a.key, { what = 'retry', code = a.code, inMs = a.nextAt - a.now })
else
  note(a.key, { what = 'postponed', inMs = a.nextAt - a.now })
end
move(message, 'retrying', fields)
watch(a.key, a.nextAt + watchMs)
createDue(message)
return answer('ok', { moved = giveWay(message) })
