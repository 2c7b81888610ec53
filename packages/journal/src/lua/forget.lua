-- What these effects intended is of no concern any more.
local reason = lost(read(a.key))
if reason then return reason end

redis.call('HDEL', effectsKey(a.key), unpack(a.effects))
return 'ok'
