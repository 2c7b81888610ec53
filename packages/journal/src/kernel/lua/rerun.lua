-- An operator runs a settled message again.
local message = read(a.key)
if not message then return answer('unknown-message') end
if not settledStates[message.state] then return answer('open', { state = message.state }) end
if a.onlyDead and message.state ~= 'dead' then return answer('not-dead', { state = message.state }) end
if a.onlyFailed and not ticketOf(message) then return answer('not-failed', { state = message.state }) end
local kept = message.payloadRef ~= '' or redis.call('EXISTS', payloadKey(a.key)) == 1
if not kept or message.fileRef == '' then return answer('payload-trimmed') end
local ticket = ticketOf(message)
local wasDead = message.state == 'dead'
if a.fromStart then forgetEffects(message) end
again(message, a.run)
if a.force then set(message, { forced = '1' }) end
note(a.key, { what = wasDead and 'resubmitted' or 'rerun', who = a.who, fromStart = a.fromStart or nil, force = a.force or nil,
  generation = tonumber(message.generation) })
audit(wasDead and 'resubmit' or 'rerun', a.key)
return answer('ok', { flow = message.flow, ticket = ticket, enqueue = message.state ~= 'waiting',
  generation = tonumber(message.generation) })
