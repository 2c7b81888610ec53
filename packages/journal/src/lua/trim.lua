-- Forgets a settled message, or only its payload, once its time is over.
local message = read(a.key)
if not message then return cjson.encode({}) end
if not settledStates[message.state] then return cjson.encode({}) end
local ref = message.payloadRef
redis.call('DEL', payloadKey(a.key))
redis.call('ZREM', base .. ':spent', a.key)
if a.payloadOnly then
  set(message, { payloadRef = '' })
  return cjson.encode({ ref = ref })
end
for _, term in ipairs(redis.call('SMEMBERS', base .. ':n:' .. a.key)) do redis.call('SREM', termKey(term), a.key) end
redis.call('ZREM', stateKey(message.flow, message.state), a.key)
redis.call('ZREM', base .. ':uncollected', a.key)
redis.call('DEL', recordKey(a.key), effectsKey(a.key), timelineKey(a.key), base .. ':n:' .. a.key)
return cjson.encode({ ref = ref, run = message.run, flow = message.flow })
