-- A request that was refused at the door is kept for a while, at most so many of its flow, and told by e-mail together with the
-- others of its kind. Without an id only what is past its time goes. ARGV[2] = sealed beginning of its body or empty, ARGV[3] =
-- sealed payload of the e-mail, ARGV[4] = sealed words for the digest.
local listed = refusedKey(a.flow)
local unseen = unseenKey(a.flow)
local withBody = withBodyKey(a.flow)

local function dropBody(id)
  local bytes = redis.call('STRLEN', refusalBodyKey(id))
  redis.call('DEL', refusalBodyKey(id))
  if redis.call('ZREM', withBody, id) == 1 then redis.call('HINCRBY', bodyBytesKey, a.flow, -bytes) end
end

local function forgetRefusal(id)
  dropBody(id)
  redis.call('DEL', refusalKey(id))
  redis.call('ZREM', listed, id)
  redis.call('ZREM', unseen, id)
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', listed, '-inf', a.now - a.keepMs, 'LIMIT', 0, a.countMax)) do
  forgetRefusal(id)
end
if not a.id or redis.call('EXISTS', refusalKey(a.id)) == 1 then return answer('kept') end

redis.call('HSET', refusalKey(a.id), 'flow', a.flow, 'client', a.client, 'at', a.now, 'status', a.status, 'code', a.code,
  'facts', a.facts)
redis.call('ZADD', listed, a.now, a.id)
redis.call('ZADD', unseen, a.now, a.id)
if ARGV[2] ~= '' then
  redis.call('SET', refusalBodyKey(a.id), ARGV[2])
  redis.call('ZADD', withBody, a.now, a.id)
  redis.call('HINCRBY', bodyBytesKey, a.flow, #ARGV[2])
end
while redis.call('ZCARD', listed) > a.countMax do forgetRefusal(redis.call('ZRANGE', listed, 0, 0)[1]) end
while tonumber(redis.call('HGET', bodyBytesKey, a.flow) or '0') > a.bytesMax do
  local oldest = redis.call('ZRANGE', withBody, 0, 0)[1]
  if not oldest then break end
  dropBody(oldest)
end

-- The first of its kind opens the window here, not when its e-mail is worked on: those that follow need no message of their own,
-- so that a flood of them is one e-mail and a count.
if redis.call('EXISTS', windowKey(a.window)) == 1 then
  joinWindow(1 + a.more, ARGV[4])
  return answer('kept')
end
openWindow(a.more)
createDue(nil)
set({ key = a.due[1].key }, { window = 'opened' })
return answer('due')
