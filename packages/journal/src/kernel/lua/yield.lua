-- An attempt that lost its message to a newer generation has stopped: the newer one may start.
local message = read(a.key)
if not message then return answer('ok') end
if message.blockedBy ~= a.run then return answer('ok', { moved = wake(message) }) end
return answer('ok', { moved = unblock(message) })
