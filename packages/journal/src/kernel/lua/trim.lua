-- Forgets a settled message, or only its payload, once its time is over. `from` is the set that said so.
local message = read(a.key)
if not message then
  redis.call('ZREM', base .. a.from, a.key)
  return answer('ok')
end
-- It may have been run again since the sweeper read the set.
if not settledStates[message.state] or tonumber(message.stateAt) > a.before then return answer('ok') end
local unused = {}
local function letGoOf(name)
  local reference = message[name] or ''
  if reference == '' then return end
  unused[#unused + 1] = reference
  letGo(reference)
end
letGoOf('payloadRef')
letGoOf('fileRef')
redis.call('DEL', payloadKey(a.key))
redis.call('ZREM', spentKey, a.key)
if a.payloadOnly then
  set(message, { payloadRef = '', fileRef = message.fileRef and '' })
  if a.now - tonumber(message.settledAt) > replayMs then redis.call('DEL', replyKey(a.key)) end
  return answer('ok', { unused = listOrNil(unused) })
end
letGoOf('indexRef')
unindex(a.key)
redis.call('ZREM', stateKey(message.flow, message.state), a.key)
redis.call('ZREM', uncollectedKey, a.key)
redis.call('DEL', recordKey(a.key), effectsKey(a.key), timelineKey(a.key), recordedKey(a.key), replyKey(a.key))
return answer('ok', { unused = listOrNil(unused), ticket = ticketOf(message), flow = message.flow })
