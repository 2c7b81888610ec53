-- An attempt that lost its message to a newer generation has stopped: the newer one may start.
local message = read(a.key)
if not message then return cjson.encode({}) end
if message.blockedBy ~= a.run then return cjson.encode({ moved = wake(message) }) end
return cjson.encode({ moved = unblock(message) })
