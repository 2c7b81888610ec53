-- Forgets a settled message, or only its payload, once its time is over. `from` is the set that said so.
local message = read(a.key)
if not message then
  redis.call('ZREM', base .. a.from, a.key)
  return cjson.encode({})
end
-- It may have been run again since the sweeper read the set.
if not settledStates[message.state] or tonumber(message.stateAt) > a.before then return cjson.encode({}) end
local unused = {}
for _, name in ipairs({ 'payloadRef', 'fileRef' }) do
  if (message[name] or '') ~= '' then
    unused[#unused + 1] = message[name]
    letGo(message[name])
  end
end
redis.call('DEL', payloadKey(a.key))
redis.call('ZREM', base .. ':spent', a.key)
if a.payloadOnly then
  set(message, { payloadRef = '' })
  if message.fileRef then set(message, { fileRef = '' }) end
  if a.now - tonumber(message.settledAt) > a.replayMs then redis.call('DEL', replyKey(a.key)) end
  return cjson.encode({ unused = listOrNil(unused) })
end
if message.indexRef then
  unused[#unused + 1] = message.indexRef
  letGo(message.indexRef)
end
unindex(a.key)
redis.call('ZREM', stateKey(message.flow, message.state), a.key)
redis.call('ZREM', base .. ':uncollected', a.key)
redis.call('DEL', recordKey(a.key), effectsKey(a.key), timelineKey(a.key), recordedKey(a.key), replyKey(a.key))
return cjson.encode({ unused = listOrNil(unused), ticket = ticketOf(message), flow = message.flow })
