-- Connections that an e-mail told to be down, and since when those of them have answered again.
local function reached(connection)
  if redis.call('HEXISTS', downKey, connection) == 1 then redis.call('ZADD', recoveringKey, 'NX', a.now, connection) end
end
-- An e-mail may come late: what failed before the connection answered says nothing.
local function missed(connection, at)
  local answeredAt = redis.call('ZSCORE', recoveringKey, connection)
  if answeredAt and tonumber(answeredAt) <= at then redis.call('ZREM', recoveringKey, connection) end
end

-- Whether an e-mail is due because of this very script, whose answer got lost.
local function isDue() return a.due[1] and redis.call('EXISTS', recordKey(a.due[1].key)) == 1 end

-- E-mails of one kind within some time: `entry` are the sealed words of one that joins them.
local function openWindow(count)
  redis.call('HSET', windowKey(a.window), 'since', a.now, 'count', count, 'periodMs', a.periodMs, 'about', cjson.encode(a.about))
  redis.call('ZADD', windowsKey, a.now + a.periodMs, a.window)
end
local function joinWindow(count, entry)
  redis.call('HINCRBY', windowKey(a.window), 'count', count)
  if redis.call('LLEN', joinedKey(a.window)) < a.namedMax then redis.call('RPUSH', joinedKey(a.window), entry) end
end
