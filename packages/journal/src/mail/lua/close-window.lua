-- The time of a window is over: its digest becomes due. `since` and `count` are what the digest was written for, the first `named`
-- of them by name; what has joined meanwhile stays for the next. ARGV[3..] = sealed payload of the digest.
local window = windowKey(a.window)
local since = tonumber(redis.call('HGET', window, 'since') or '0')
local count = tonumber(redis.call('HGET', window, 'count') or '0')
if since == 0 then redis.call('ZREM', windowsKey, a.window) end
if since == 0 or since ~= a.since then return answer(isDue() and 'due' or 'changed') end
-- Somebody has just joined a window that was to close without a word.
if a.count == 0 and count > 0 then return answer('changed') end

createDue(nil)
if count == 0 or (a.ends and count == a.count) then
  redis.call('DEL', window, joinedKey(a.window))
  redis.call('ZREM', windowsKey, a.window)
else
  -- What goes on failing is told in further digests.
  redis.call('HSET', window, 'since', a.now, 'count', count - a.count)
  for flow, told in pairs(a.flows or {}) do redis.call('HINCRBY', window, 'n:' .. flow, -told) end
  redis.call('LTRIM', joinedKey(a.window), a.named, -1)
  redis.call('ZADD', windowsKey, a.now + tonumber(redis.call('HGET', window, 'periodMs')), a.window)
end
return answer('due')
