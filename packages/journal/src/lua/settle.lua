-- The end of a generation: state, reply, due e-mails and the release of the line, all or nothing.
-- ARGV[2] = sealed reply or empty, ARGV[3..] = sealed payloads of what is due.
local message = read(a.key)
if message and message.endedBy == a.token then
  local holder = message.line ~= '' and holderOf(message.line)
  return cjson.encode({ kind = 'ok', moved = holder and wake(read(holder)) or nil })
end
local reason = lost(message)
if reason then return cjson.encode({ kind = reason }) end

redis.call('HDEL', recordKey(a.key), 'token', 'started', 'nextAt')
set(message, { settledAt = a.now, endedBy = a.token, outcome = a.outcome, code = a.code or '', made = a.made })
if ARGV[2] ~= '' then redis.call('SET', replyKey(a.key), ARGV[2]) end
if a.rows then set(message, { rows = a.rows }) end
if a.files then set(message, { files = a.files }) end
if a.faults then set(message, { faults = a.faults }) end
if a.reason then set(message, { reason = a.reason }) end
move(message, a.state)
redis.call('ZREM', openKey, a.key)
index(message, a.terms or {})
note(a.key, { what = 'settled', state = a.state, outcome = a.outcome, code = a.code })
local acknowledged = nil
local file = message.acknowledges and read(message.acknowledges)
if file then
  local what = a.state == 'succeeded' and 'acknowledged' or 'unacknowledged'
  note(file.key, { what = what, code = a.code, by = a.key })
  -- One that goes out again says nothing about how long the sender had to wait.
  if a.state == 'succeeded' and redis.call('HSETNX', recordKey(file.key), 'acknowledgedAt', a.now) == 1 then
    acknowledged = { flow = file.flow, afterMs = a.now - tonumber(file.acceptedAt) }
  end
end

if message.collect and a.outcome ~= 'SUCCESS' then
  redis.call('ZADD', base .. ':uncollected', message.collect == 'provisional' and a.now + a.collectMs or a.now, a.key)
end
-- An acknowledgment is small, and may have to go out again.
if a.state == 'succeeded' and not message.acknowledges then redis.call('ZADD', base .. ':spent', a.now, a.key) end
createDue(message)
local moved = leaveLine(message, a.nextRun)
redis.call('PUBLISH', base .. ':news', a.key)
return cjson.encode({ kind = 'ok', moved = moved, acknowledged = acknowledged })
