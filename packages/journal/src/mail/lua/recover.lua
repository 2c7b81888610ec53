-- A connection that was told to be down has answered for a while. ARGV[3..] = sealed payload of the e-mail that says so.
local since = tonumber(redis.call('ZSCORE', recoveringKey, a.connection) or '0')
if since ~= a.since then return answer(isDue() and 'due' or 'changed') end
redis.call('HDEL', downKey, a.connection)
redis.call('ZREM', recoveringKey, a.connection)
createDue(nil)
return answer('due')
