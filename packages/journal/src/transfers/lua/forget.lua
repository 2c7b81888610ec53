-- What these effects intended is of no concern any more.
local message, refusal = held()
if not message then return refusal end
redis.call('HDEL', effectsKey(a.key), unpack(a.effects))
return answer('ok')
