-- The end of a generation: state, reply, due e-mails and the release of the line, all or nothing.
-- ARGV[2] = sealed reply or empty, ARGV[3..] = sealed payloads of what is due.
local message = read(a.key)
if message and message.endedBy == a.token then
  local holder = message.line ~= '' and holderOf(message.line)
  return answer('ok', { moved = holder and wake(read(holder)) or nil })
end
local refusal = carry(message)
if refusal then return refusal end

drop(message, runFields)
if ARGV[2] ~= '' then redis.call('SET', replyKey(a.key), ARGV[2]) end
move(message, a.state, { settledAt = a.now, endedBy = a.token, outcome = a.outcome, code = a.code or message.code and '', made = a.made,
  rows = a.rows, files = a.files, faults = a.faults, reason = a.reason })
redis.call('ZREM', openKey, a.key)
index(message, a.terms or {})
note(a.key, { what = 'settled', state = a.state, outcome = a.outcome, code = a.code })
local acknowledged = nil
local file = message.acknowledges and readSome(message.acknowledges, 'flow', 'acceptedAt', 'acknowledgedAt')
if file then
  local what = a.state == 'succeeded' and 'acknowledged' or 'unacknowledged'
  note(file.key, { what = what, code = a.code, by = a.key })
  -- One that goes out again says nothing about how long the sender had to wait.
  if a.state == 'succeeded' and not file.acknowledgedAt then
    set(file, { acknowledgedAt = a.now })
    acknowledged = { flow = file.flow, afterMs = a.now - tonumber(file.acceptedAt) }
  end
end

if message.collect and a.outcome ~= 'SUCCESS' then awaitCollector(message) end
-- An acknowledgment is small, and may have to go out again.
if a.state == 'succeeded' and not message.acknowledges then redis.call('ZADD', spentKey, a.now, a.key) end
createDue(message)
local moved = leaveLine(message)
publish(message, ARGV[2])
return answer('ok', { moved = moved, acknowledged = acknowledged })
