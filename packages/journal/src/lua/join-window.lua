-- E-mails of one kind: the first opens a window and goes out, what follows inside it waits for the digest. What is decided holds
-- for the generation of the notification: an attempt that comes again is not counted again. ARGV[2] = sealed words for the digest.
local message = read(a.key)
local reason = lost(message)
if reason then return cjson.encode({ kind = reason }) end
if message.window then return cjson.encode({ kind = message.window }) end

local window = windowKey(a.window)
local kind = 'opened'
if a.periodMs > 0 and redis.call('EXISTS', window) == 1 then
  kind = 'joined'
  redis.call('HINCRBY', window, 'count', 1)
  if a.flow then redis.call('HINCRBY', window, 'n:' .. a.flow, 1) end
  if redis.call('LLEN', joinedKey(a.window)) < a.namedMax then redis.call('RPUSH', joinedKey(a.window), ARGV[2]) end
elseif a.periodMs > 0 then
  redis.call('HSET', window, 'since', a.now, 'count', 0, 'periodMs', a.periodMs, 'about', cjson.encode(a.about))
  redis.call('ZADD', windowsKey, a.now + a.periodMs, a.window)
end
if a.down then
  redis.call('HSETNX', downKey, a.down.connection, a.down.since)
  missed(a.down.connection, a.down.since)
  if a.periodMs > 0 then redis.call('HSET', window, 'down', a.down.connection) end
end
set(message, { window = kind })
return cjson.encode({ kind = kind })
